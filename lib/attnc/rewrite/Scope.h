#pragma once
#include "attnc/rewrite/Host.h"

namespace attnc::rewriting {

/// Renamings of binders on the way into a stack that is looked through: x[i] of Stack j. f(j) is f under j := i. A
/// binder that a pattern's box stands for is renamed to a virtual one, numbered from `firstVirtual`.
inline constexpr std::size_t firstVirtual = 1u << 30;
using EnvId = Id<struct EnvTag>; // invalid: nothing is renamed
struct Env {
  EnvId next;
  BinderId from, to;
};

/// What a metavariable stands for: the wire, as a function of the virtual binders.
struct Image {
  std::vector<BinderId> indices;
  Wire wire;
  EnvId env;
};

inline BinderId lookUp(const std::vector<Env> &envs, EnvId env, BinderId binder) {
  for (; env.valid(); env = envs[env.index()].next)
    if (envs[env.index()].from == binder)
      return envs[env.index()].to;
  return binder;
}

/// A host seen under renamings, which are kept in `envs`.
struct Scope {
  const Host &host;
  std::vector<Env> &envs;

  BinderId lookUp(EnvId env, BinderId binder) const { return rewriting::lookUp(envs, env, binder); }
  EnvId extend(EnvId env, BinderId from, BinderId to) const {
    envs.push_back({env, from, to});
    return EnvId(envs.size() - 1);
  }
  /// Looks through slices of stacks.
  void resolve(Wire &wire, EnvId &env) const;
};

/// Whether two images are one function of their indices: by what they are made of, whatever the order of operands that
/// commute. Gives up, and says no, after 100 000 comparisons.
bool sameImage(const Scope &scope, const Image &a, const Image &b);

} // namespace attnc::rewriting
