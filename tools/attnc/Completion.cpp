#include "Completion.h"

#include <CLI/CLI.hpp>

namespace attnc {

std::string completionScript(const std::string &shell) {
  if (shell == "bash")
    return R"sh(_attnc() {
  local word=${COMP_WORDS[COMP_CWORD]}
  [[ $word == = ]] && word=
  COMPREPLY=($(compgen -W "$("${1/#\~/$HOME}" complete-words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "$word"))
}
complete -o default -F _attnc attnc
)sh";
  if (shell == "zsh")
    return R"sh(#compdef attnc
_attnc() {
  local -a found
  found=("${(@f)$(attnc complete-words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n $found ]]; then
    compadd -- $found
  else
    compset -P '*='
    _files
  fi
}
if [[ $funcstack[1] == _attnc ]]; then
  _attnc "$@"
else
  compdef _attnc attnc
fi
)sh";
  return R"sh(function __attnc_words
  set -l words (commandline -opc) "$(commandline -ct)"
  attnc complete-words -- $words[2..-1] 2>/dev/null
end
complete -c attnc -n 'count (__attnc_words) >/dev/null' -f -a '(__attnc_words)'
)sh";
}

static std::vector<std::string> optionsOf(const CLI::App &app) {
  std::vector<std::string> names;
  for (const CLI::Option *option : app.get_options())
    for (const std::string &name : option->get_lnames())
      names.push_back("--" + name);
  return names;
}

std::vector<std::string> completions(const CLI::App &app, const Choices &choices, std::vector<std::string> words) {
  auto chosen = [&](const std::string &option, const std::string &before) {
    std::vector<std::string> found;
    if (auto known = choices.find(option); known != choices.end())
      for (const std::string &choice : known->second)
        found.push_back(before + choice);
    return found;
  };
  if (words.empty())
    words.emplace_back();
  const std::string word = words.back();
  if (words.size() == 1) {
    if (word.starts_with('-'))
      return optionsOf(app);
    std::vector<std::string> names;
    for (const CLI::App *command :
         app.get_subcommands([](const CLI::App *known) { return !known->get_group().empty(); }))
      names.push_back(command->get_name());
    return names;
  }
  auto commands = app.get_subcommands([&](const CLI::App *known) { return known->get_name() == words[0]; });
  if (commands.empty())
    return {};
  if (std::size_t equals = word.find('='); word.starts_with("--") && equals != std::string::npos)
    return chosen(word.substr(0, equals), word.substr(0, equals + 1));
  if (word.starts_with('-'))
    return optionsOf(*commands[0]);
  words.pop_back();
  if (words.back() == "=")
    words.pop_back();
  if (words.back().starts_with("--"))
    return chosen(words.back(), "");
  for (const CLI::Option *option : commands[0]->get_options())
    if (option->get_positional())
      if (auto found = chosen(option->get_name(), ""); !found.empty())
        return found;
  return {};
}

} // namespace attnc
