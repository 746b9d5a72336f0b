#include "attnc/kernel/Ptxas.h"

#include "attnc/kernel/WorkDirectory.h"
#include "attnc/support/File.h"

#include <array>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace attnc {

namespace fs = std::filesystem;

std::optional<fs::path> findPtxas() {
  std::vector<fs::path> folders;
  std::string path = std::getenv("PATH") ? std::getenv("PATH") : "";
  for (std::size_t begin = 0; begin <= path.size();) {
    std::size_t end = std::min(path.find(':', begin), path.size());
    if (end > begin)
      folders.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const char *folder = std::getenv(variable))
      folders.push_back(fs::path(folder) / "bin");
  folders.emplace_back("/usr/local/cuda/bin");
  for (const fs::path &folder : folders)
    if (fs::path program = folder / "ptxas"; ::access(program.c_str(), X_OK) == 0)
      return program;
  return std::nullopt;
}

tl::expected<std::string, std::string> assemblePtx(const std::string &ptx, const std::string &architecture) {
  std::optional<fs::path> program = findPtxas();
  if (!program)
    return tl::unexpected<std::string>("ptxas, NVIDIA's assembler, is neither on the PATH nor in bin of $CUDA_HOME, "
                                       "$CUDA_PATH or /usr/local/cuda; PTX needs none");
  auto directory = WorkDirectory::make("attnc-ptxas");
  if (!directory)
    return tl::unexpected(directory.error());
  fs::path input = directory->path / "kernel.ptx", output = directory->path / "kernel.cubin",
           said = directory->path / "said";
  if (auto written = writeFile(input, ptx); !written)
    return tl::unexpected(written.error());
  std::string arch = "-arch=" + architecture;
  std::string name = program->string();
  std::array<char *, 6> words = {name.data(),
                                 arch.data(),
                                 const_cast<char *>("-o"),
                                 const_cast<char *>(output.c_str()),
                                 const_cast<char *>(input.c_str()),
                                 nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child = 0;
  int failed = ::posix_spawn(&child, name.c_str(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (failed || ::waitpid(child, &status, 0) != child)
    return tl::unexpected(fmt::format("{} cannot be run", name));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return tl::unexpected(fmt::format("ptxas failed: {}", readFile(said).value_or("")));
  return readFile(output);
}

} // namespace attnc
