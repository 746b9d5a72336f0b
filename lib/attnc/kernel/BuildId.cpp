#include "attnc/kernel/BuildId.h"

#include <elf.h>
#include <fmt/format.h>
#include <fstream>
#include <string_view>
#include <vector>

namespace attnc {

/// The id in the content of one note segment.
static std::optional<std::string> idIn(std::string_view notes) {
  auto padded = [](std::size_t size) { return (size + 3) / 4 * 4; };
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note = {};
    notes.copy(reinterpret_cast<char *>(&note), sizeof note);
    notes.remove_prefix(sizeof note);
    std::size_t name = padded(note.n_namesz), content = padded(note.n_descsz);
    if (name + content > notes.size())
      return std::nullopt;
    if (note.n_type == NT_GNU_BUILD_ID && notes.substr(0, note.n_namesz) == std::string_view("GNU\0", 4) &&
        note.n_descsz > 0) {
      std::string id;
      for (unsigned char byte : notes.substr(name, note.n_descsz))
        id += fmt::format("{:02x}", byte);
      return id;
    }
    notes.remove_prefix(name + content);
  }
  return std::nullopt;
}

std::optional<std::string> buildIdOf(const std::filesystem::path &path) {
  constexpr std::size_t most = 1 << 16; // notes are small; a broken file may say otherwise
  std::ifstream file(path, std::ios::binary);
  Elf64_Ehdr header;
  if (!file.read(reinterpret_cast<char *>(&header), sizeof header) ||
      std::string_view(reinterpret_cast<char *>(header.e_ident), 4) != ELFMAG ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr))
    return std::nullopt;
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (!file.seekg(std::streamoff(header.e_phoff)) ||
      !file.read(reinterpret_cast<char *>(segments.data()), std::streamsize(segments.size() * sizeof(Elf64_Phdr))))
    return std::nullopt;
  for (const Elf64_Phdr &segment : segments) {
    if (segment.p_type != PT_NOTE || segment.p_filesz > most)
      continue;
    std::string notes(segment.p_filesz, '\0');
    if (file.seekg(std::streamoff(segment.p_offset)) && file.read(notes.data(), std::streamsize(notes.size())))
      if (auto id = idIn(notes))
        return id;
    file.clear();
  }
  return std::nullopt;
}

} // namespace attnc
