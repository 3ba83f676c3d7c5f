// A pointer that a C library gave and that one of its functions frees.
#pragma once

#include <memory>

namespace weft {

template <auto free>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};

template <class T, auto free>
using Owned = std::unique_ptr<T, Free<free>>;

}  // namespace weft
