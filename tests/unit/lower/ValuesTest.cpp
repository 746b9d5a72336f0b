#include "Run.h"
