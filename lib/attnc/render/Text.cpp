#include "attnc/render/Text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>

namespace attnc::render {

namespace {

struct Glyph {
  char32_t code;
  std::uint16_t widths[3];
};
constexpr Glyph glyphs[] = {
#define ATTNC_GLYPH(CODE, ROMAN, ITALIC, BOLD) {CODE, {ROMAN, ITALIC, BOLD}},
#include "attnc/render/Metrics.def"
};

double advance(char32_t code, Face face) {
  auto it = std::lower_bound(std::begin(glyphs), std::end(glyphs), code,
                             [](const Glyph &g, char32_t c) { return g.code < c; });
  if (it == std::end(glyphs) || it->code != code)
    return 1;
  return it->widths[static_cast<int>(face)] / 2048.0;
}

constexpr double capitals = 0.66, descent = 0.21;

std::string_view greek(std::string_view name) {
  static const std::map<std::string_view, std::string_view> letters = {
      {"alpha", "α"}, {"beta", "β"},   {"gamma", "γ"}, {"delta", "δ"}, {"eps", "ε"},    {"epsilon", "ε"},
      {"zeta", "ζ"},  {"eta", "η"},    {"theta", "θ"}, {"kappa", "κ"}, {"lambda", "λ"}, {"mu", "μ"},
      {"nu", "ν"},    {"xi", "ξ"},     {"pi", "π"},    {"rho", "ρ"},   {"sigma", "σ"},  {"tau", "τ"},
      {"phi", "φ"},   {"chi", "χ"},    {"psi", "ψ"},   {"omega", "ω"}, {"Gamma", "Γ"},  {"Delta", "Δ"},
      {"Theta", "Θ"}, {"Lambda", "Λ"}, {"Sigma", "Σ"}, {"Phi", "Φ"},   {"Psi", "Ψ"},    {"Omega", "Ω"}};
  auto it = letters.find(name);
  return it == letters.end() ? name : it->second;
}

} // namespace

std::vector<char32_t> codePoints(std::string_view text) {
  std::vector<char32_t> result;
  for (std::size_t i = 0; i < text.size();) {
    unsigned char lead = text[i];
    int length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    bool good = length > 0 && i + length <= text.size();
    char32_t code = length == 1 ? lead : lead & (0x7F >> length);
    for (int k = 1; good && k < length; ++k) {
      good = (text[i + k] & 0xC0) == 0x80;
      code = code << 6 | (text[i + k] & 0x3F);
    }
    result.push_back(good ? code : 0xFFFD);
    i += good ? length : 1;
  }
  return result;
}

std::string utf8(const std::vector<char32_t> &codes) {
  std::string result;
  for (char32_t c : codes) {
    if ((c >= 0xD800 && c < 0xE000) || c > 0x10FFFF)
      c = 0xFFFD;
    if (c < 0x80)
      result += char(c);
    else if (c < 0x800)
      result += {char(0xC0 | c >> 6), char(0x80 | (c & 63))};
    else if (c < 0x10000)
      result += {char(0xE0 | c >> 12), char(0x80 | (c >> 6 & 63)), char(0x80 | (c & 63))};
    else
      result += {char(0xF0 | c >> 18), char(0x80 | (c >> 12 & 63)), char(0x80 | (c >> 6 & 63)), char(0x80 | (c & 63))};
  }
  return result;
}

double width(const Line &line) {
  double total = 0;
  for (const Run &run : line.runs)
    for (char32_t code : codePoints(run.text))
      total += advance(code, run.face) * run.scale * line.size;
  return halfUp(total);
}

double height(const Line &line) { return halfUp((capitals + descent) * line.size); }
double baseline(const Line &line) { return (capitals - descent) / 2 * line.size + 0.06 * line.size; }

std::string plain(const Line &line) {
  std::string text;
  for (const Run &run : line.runs)
    text += run.text;
  return text;
}

Line &operator+=(Line &line, Run run) {
  line.runs.push_back(std::move(run));
  return line;
}

void subscript(Line &line, std::string_view text, Face face) { line += {std::string(text), face, 0.72, -0.2}; }

Line symbol(std::string_view name, double size, Face face) {
  std::string_view stem = name, primes, number; // number: what is lowered
  while (stem.ends_with('\''))
    stem.remove_suffix(1);
  primes = name.substr(stem.size());
  std::size_t digits = stem.size();
  while (digits > 0 && stem[digits - 1] >= '0' && stem[digits - 1] <= '9')
    --digits;
  if (digits > 0 && digits < stem.size() && stem[digits - 1] != '_') {
    number = stem.substr(digits);
    stem = stem.substr(0, digits);
  }
  std::string shown(greek(stem));
  if (name.size() == 2 && name[0] >= 'A' && name[0] <= 'Z' && name[1] >= 'a' && name[1] <= 'z') { // Wq
    number = name.substr(1);
    shown = name.substr(0, 1);
    stem = name.substr(0, 1);
  }
  if (shown == stem && stem.size() > 2 && stem[1] == '_' && number.empty()) { // a_left: a lowered word
    number = stem.substr(2);
    shown = std::string(stem.substr(0, 1));
  }
  Line line{{{shown, face}}, size};
  for (std::size_t i = 0; i < primes.size(); ++i)
    line += {"′", Face::Roman};
  if (!number.empty())
    subscript(line, number, number[0] >= '0' && number[0] <= '9' ? Face::Roman : face);
  return line;
}

std::string number(double value) {
  std::string text = fmt::format("{:.2f}", value);
  while (text.back() == '0')
    text.pop_back();
  if (text.back() == '.')
    text.pop_back();
  return text == "-0" ? "0" : text;
}

} // namespace attnc::render
