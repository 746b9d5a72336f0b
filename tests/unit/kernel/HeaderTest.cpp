#include "attnc/kernel/Header.h"
#include "Definitions.h"

#include <catch2/catch.hpp>

using namespace attnc;

TEST_CASE("the header of a kernel with sizes compiled in") {
  CHECK(headerText(test::mulDefinition(), DType::F32, Size::Values{{"n", 24}}) == R"(#ifndef ATTNC_KERNEL_mul_H
#define ATTNC_KERNEL_mul_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * mul(a: [n], b: [n]) -> [n]
 *
 * The pointwise product.
 *
 * Compiled for n = 24.
 *
 *   a    input [n] = [24]
 *   b    input [n] = [24]
 *   out  output [n] = [24]
 *
 * Arrays are dense and row-major; outputs overlap no other array.
 * Returns 0, or 1 when there is not enough memory.
 */
int32_t attnc_mul(
    const float *a,
    const float *b,
    float *out);

#ifdef __cplusplus
}
#endif

#endif /* ATTNC_KERNEL_mul_H */
)");
}

TEST_CASE("with dynamic sizes they are the last arguments, and parameters stand before the outputs") {
  Definition definition;
  definition.name = "f'";
  definition.doc = "Ends a comment */ early?";
  Size d = Size::variable("d"), r = Size::variable("int");
  definition.learners.push_back({LearnerKind::Affine, "W", {{Kind::Real, {d}}}, {{Kind::Real, {r}}}, {}, 64, {}});
  Builder builder(definition.learners);
  WireId x = builder.input({Kind::Real, {d}}, "x'"), i = builder.input({Kind::Int, {}}, "x_"),
         b = builder.input({Kind::Bool, {d}}, "b");
  WireId y = builder.add1(Apply{LearnerId(0), {}}, {x}).value();
  definition.diagram = std::move(builder).finish({y, i, b});
  definition.outputNames = {"y", "", ""};
  CHECK(headerText(definition, DType::BF16, {}) == R"(#ifndef ATTNC_KERNEL_f__H
#define ATTNC_KERNEL_f__H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * )" + definition.signature() + R"(
 *
 * Ends a comment * / early?
 *
 *   x_        input [d] (`x'`)
 *   x__2      input int[] (`x_`)
 *   b         input bool[d]
 *   W_weight  parameter [d int] (`W.weight`)
 *   W_bias    parameter [int] (`W.bias`)
 *   y         output [int]
 *   out1      output int[]
 *   out2      output bool[d]
 *   d         size
 *   int_      size (`int`)
 *
 * Arrays are dense and row-major; outputs overlap no other array.
 * Returns 0, or 1 when there is not enough memory.
 * Also 5 where it is compiled for tile registers (AMX) and the system does not let the process use them.
 * A real is the 16 bits of a bfloat16, the upper half of a float.
 */
int32_t attnc_f_(
    const uint16_t *x_,
    const int64_t *x__2,
    const uint8_t *b,
    const uint16_t *W_weight,
    const uint16_t *W_bias,
    uint16_t *y,
    int64_t *out1,
    uint8_t *out2,
    int64_t d,
    int64_t int_);

#ifdef __cplusplus
}
#endif

#endif /* ATTNC_KERNEL_f__H */
)");
}
