#include "attnc/launch/Emulated.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

// A warp group that loads two matrices in bf16 and multiplies them, as a kernel would, with its faults.
namespace {

constexpr int bfloat16 = 9, rows = 64, depth = 128, columns = 24, panel = 64, steps = depth / 16;
constexpr int32_t barrier = firstShared, leftAt = 2 * firstShared, rightAt = leftAt + rows * depth * 2;
constexpr unsigned shared = rightAt + depth * 128 - firstShared;

struct Problem {
  alignas(64) unsigned char leftMap[128], rightMap[128];
  std::vector<uint16_t> left, right;
  std::vector<float> result = std::vector<float>(rows * columns, -1);
  bool turned, inRegisters, waits = true, awaits = true, meets = true;
  int64_t bytes;
  int32_t arrivals = 1;
};

uint16_t rounded(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return uint16_t(bits >> 16);
}
float wide(uint16_t value) {
  uint32_t bits = uint32_t(value) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

template <class Pointer> int64_t address(Pointer *pointer) { return int64_t(reinterpret_cast<intptr_t>(pointer)); }

uint64_t descriptor(int64_t at, int64_t leading) {
  return uint64_t(1) << 62 | uint64_t(1024 >> 4) << 32 | uint64_t(leading >> 4) << 16 | uint64_t(at >> 4);
}

void thread(void **slots) {
  auto &problem = *static_cast<Problem *>(slots[0]);
  int64_t id = attnc_emulated_thread(), row = id / 32 * 16 + id % 32 / 4, pair = id % 4 * 2;
  if (id == 0)
    attnc_emulated_begin_barrier(barrier, 1);
  attnc_emulated_barrier();
  if (id == 0) {
    for (int i = 0; i < problem.arrivals; ++i)
      attnc_emulated_expect(barrier, i == 0 ? problem.bytes : 0);
    for (int i = 0; i < depth / panel; ++i)
      attnc_emulated_load_box(address(problem.leftMap), leftAt + i * rows * 128, barrier, i * panel, 0, 0, 0, 0);
    for (int i = 0; i < (problem.turned ? 1 : depth / panel); ++i)
      attnc_emulated_load_box(address(problem.rightMap), rightAt + i * columns * 128, barrier, i * panel, 0, 0, 0, 0);
  }
  if (problem.waits)
    attnc_emulated_wait(barrier, 0);
  uint64_t left[steps], right[steps];
  uint32_t words[4 * steps];
  for (int k = 0; k < steps; ++k) {
    int64_t along = k % 4 * 32;
    left[k] = descriptor(leftAt + k / 4 * rows * 128 + along, 16);
    right[k] = problem.turned ? descriptor(rightAt + k * 16 * 128, 16)
                              : descriptor(rightAt + k / 4 * columns * 128 + along, 16);
    for (int word = 0; word < 4; ++word) {
      const uint16_t *first = &problem.left[(row + word % 2 * 8) * depth + k * 16 + word / 2 * 8 + pair];
      words[4 * k + word] = first[0] | uint32_t(first[1]) << 16;
    }
  }
  float sums[columns / 2];
  attnc_emulated_product(address(sums), columns / 2, 1, problem.inRegisters ? address(words) : 0,
                         problem.inRegisters ? 0 : address(left), address(right), steps, problem.turned, bfloat16);
  if (problem.awaits)
    attnc_emulated_await(address(sums), columns / 2, 0);
  if (!problem.meets && id == 5)
    attnc_emulated_meet(3, 2);
  for (int64_t i = 0; i < columns / 2; ++i)
    problem.result[(row + i / 2 % 2 * 8) * columns + i / 4 * 8 + pair + i % 2] = sums[i];
}

Problem make(bool turned, bool inRegisters) {
  Problem problem;
  problem.turned = turned;
  problem.inRegisters = inRegisters;
  auto fill = [](std::vector<uint16_t> &array, int count, float scale) {
    for (int i = 0; i < count; ++i)
      array.push_back(rounded(std::sin(float(i) * scale)));
  };
  fill(problem.left, rows * depth, 0.37F);
  fill(problem.right, columns * depth, 0.73F);
  int width = turned ? columns : depth, height = turned ? depth : columns;
  problem.bytes = int64_t(rows) * depth * 2 + int64_t(height) * 128 * (turned ? 1 : depth / panel);
  auto map = [](unsigned char *to, std::vector<uint16_t> &array, int width, int height) {
    uint64_t extents[] = {uint64_t(width), uint64_t(height)}, stride = uint64_t(width) * 2;
    uint32_t box[] = {panel, uint32_t(height)}, every[] = {1, 1};
    REQUIRE(attnc_emulated_map(to, bfloat16, 2, array.data(), extents, &stride, box, every, 0, 3, 3, 0) == 0);
  };
  map(problem.leftMap, problem.left, depth, rows);
  map(problem.rightMap, problem.right, width, height);
  return problem;
}

int run(Problem &problem) {
  attnc_emulated_kernel kernel = {"kernel", 1, 1, thread};
  void *slots[] = {&problem, nullptr};
  return attnc_emulated_run(&kernel, slots, 1, groupThreads, shared);
}

double error(const Problem &problem) {
  double worst = 0;
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      double sum = 0;
      for (int k = 0; k < depth; ++k)
        sum += double(wide(problem.left[i * depth + k])) *
               wide(problem.right[problem.turned ? k * columns + j : j * depth + k]);
      double off = std::fabs(problem.result[i * columns + j] - sum);
      worst = std::isnan(off) ? 1e9 : std::max(worst, off);
    }
  return worst;
}

} // namespace

TEST_CASE("an emulated warp group multiplies what boxes bring") {
  for (bool turned : {false, true})
    for (bool inRegisters : {false, true}) {
      Problem problem = make(turned, inRegisters);
      CHECK(run(problem) == 0);
      CHECK(error(problem) < 1e-4);
    }
}

TEST_CASE("waits that are missing show") {
  Problem problem = make(false, false);
  problem.awaits = false;
  CHECK(run(problem) == 0);
  CHECK(error(problem) == 1e9);

  problem = make(false, false);
  problem.waits = false;
  CHECK(run(problem) == emulatedFailure);
  CHECK(std::string(attnc_emulated_complaint()) == "'kernel' ends before a box that it asked for has come");
  CHECK(error(problem) == 1e9);
}

TEST_CASE("threads that wait for ever are an error, and so are arrivals too many") {
  Problem problem = make(true, false);
  problem.bytes += 2;
  CHECK(run(problem) == emulatedFailure);
  CHECK(std::string(attnc_emulated_complaint()) == "128 threads of 'kernel' wait for ever");

  problem = make(true, false);
  problem.meets = false;
  CHECK(run(problem) == emulatedFailure);
  CHECK(std::string(attnc_emulated_complaint()) == "1 threads of 'kernel' wait for ever");

  problem = make(true, true);
  problem.bytes = 0; // the phase ends before the boxes come
  problem.arrivals = 3;
  CHECK(run(problem) == emulatedFailure);
}

TEST_CASE("boxes outside shared memory and maps that CUDA refuses are errors") {
  Problem problem = make(false, false);
  uint64_t extents[] = {panel, 4}, stride = panel * 2;
  uint32_t box[] = {panel, 4}, every[] = {1, 1};
  alignas(64) unsigned char map[128];
  auto made = [&](int type, void *at, uint64_t stride, int swizzle) {
    return attnc_emulated_map(map, type, 2, at, extents, &stride, box, every, 0, swizzle, 3, 0);
  };
  CHECK(made(bfloat16, problem.left.data(), stride, 3) == 0);
  CHECK(made(bfloat16, problem.left.data() + 1, stride, 3) != 0);
  CHECK(made(bfloat16, problem.left.data(), stride + 2, 3) != 0);
  CHECK(made(bfloat16, problem.left.data(), stride, 0) != 0);
  CHECK(made(7, problem.left.data(), stride, 3) != 0);
  extents[1] = 0;
  CHECK(made(bfloat16, problem.left.data(), stride, 3) != 0);

  attnc_emulated_kernel kernel = {"kernel", 1, 1, thread};
  void *slots[] = {&problem, nullptr};
  CHECK(attnc_emulated_run(&kernel, slots, 1, groupThreads, 4096) == emulatedFailure);
  CHECK(std::string(attnc_emulated_complaint()).starts_with("shared memory has no "));
}
