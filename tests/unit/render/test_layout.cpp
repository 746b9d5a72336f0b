#include "Mechanisms.h"

#include "attnc/render/Render.h"
#include "attnc/render/Writers.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

using namespace attnc;
using namespace attnc::render;

TEST_CASE("look", "[.look]") {
  for (const Definition &definition : test::mechanisms())
    for (Direction direction : {Direction::Down, Direction::Right})
      for (bool open : {false, true}) {
        DrawOptions options;
        options.direction = direction;
        options.open.all = open;
        auto picture = layout(definition, options);
        REQUIRE(picture);
        WriteOptions write;
        write.scale = 2;
        auto png = toPng(*picture, write);
        REQUIRE(png);
        std::ofstream("/tmp/look/" + definition.name + (direction == Direction::Right ? "_right" : "") + (open ? "_open" : "") + ".png") << *png;
      }
}
