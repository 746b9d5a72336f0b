#pragma once
#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace attnc {

/// What an option takes where that is one of a few words: `--dtype` to f32, f64, bf16. Positionals go by their name.
using Choices = std::map<std::string, std::vector<std::string>>;

/// The script that teaches bash, zsh or fish to complete. It asks the program (`attnc complete-words -- WORD…`), so
/// that it never goes stale.
std::string completionScript(const std::string &shell);

/// What the last of the words after `attnc` may become: commands, options where it begins with `-`, an option's
/// choices. Nothing where a file is meant. An option and its value are one word with `=`, or three.
std::vector<std::string> completions(const CLI::App &app, const Choices &choices, std::vector<std::string> words);

} // namespace attnc
