#pragma once
#include "attnc/arrays/Array.h"
#include "attnc/diagram/Diagram.h"

#include <variant>

/// A deliberately naive interpreter: one scalar at a time, each iteration of each box on its own, with no
/// sharing and no views. It follows the comments of Generator.h word by word, and is what the batched
/// interpreter is compared with.
namespace attnc::twin {

using Scalar = std::variant<double, std::int64_t, bool>;

struct Tensor {
  Kind kind = Kind::Real;
  std::vector<std::int64_t> shape;
  std::vector<Scalar> cells; // row-major
};

Tensor tensorOf(const Array &array);
Array arrayOf(const Tensor &tensor);

class Twin {
public:
  Twin(const Definition &definition, const Size::Values &sizes, const std::vector<Array> &parameters);
  std::vector<Tensor> run(const Diagram &diagram, const std::vector<Tensor> &inputs);

private:
  std::vector<Tensor> op(const Op &op, const std::vector<Tensor> &in);
  std::vector<Tensor> box(const Box &box, const std::vector<Tensor> &in);
  std::vector<Tensor> scan(const Scan &scan, const std::vector<Tensor> &in);
  Tensor apply(const Apply &apply, const std::vector<Tensor> &in);
  std::int64_t value(const Size &size) const { return *size.evaluate(sizes); }
  std::vector<std::int64_t> values(const std::vector<Size> &axes) const;

  const Definition &definition;
  const Size::Values &sizes;
  std::vector<std::vector<Tensor>> fillings;
  std::vector<std::int64_t> indices; // of the boxes around, outermost first
};

} // namespace attnc::twin
