// Tile registers of x86 (AMX): eight, of 16 rows of 16 words each. A word is an f32 or a pair of bf16. They are named by
// number, as the instructions do: no value holds a tile, so that none can be spilled. A function sets what it reads.
#ifndef ATTNC_AMX_OPS
#define ATTNC_AMX_OPS

def TileRegister : ConfinedAttr<I8Attr, [IntNonNegative, IntMaxValue<7>]>;
def Words : MemRefRankOf<[F32], [1]>;

class Attnc_AmxOp<string mnemonic> : Attnc_Op<"amx." # mnemonic>;

def AmxConfigureOp : Attnc_AmxOp<"configure"> {
  let summary = "this thread uses all eight tiles, of full size, from here on";
  let assemblyFormat = "attr-dict";
}

def AmxReleaseOp : Attnc_AmxOp<"release"> {
  let summary = "this thread uses no tile any more";
  let assemblyFormat = "attr-dict";
}

def AmxZeroOp : Attnc_AmxOp<"zero"> {
  let summary = "every word of a tile is 0";
  let arguments = (ins TileRegister:$tile);
  let assemblyFormat = "$tile attr-dict";
}

def AmxLoadOp : Attnc_AmxOp<"load"> {
  let summary = "row r of the tile is array[at + r * stride ..]";
  let arguments = (ins TileRegister:$tile, Words:$array, Index:$at, Index:$stride);
  let assemblyFormat = "$tile `from` $array `[` $at `]` `stride` $stride attr-dict `:` type($array)";
}

def AmxStoreOp : Attnc_AmxOp<"store"> {
  let summary = "array[at + r * stride ..] is row r of the tile";
  let arguments = (ins TileRegister:$tile, Words:$array, Index:$at, Index:$stride);
  let assemblyFormat = "$tile `to` $array `[` $at `]` `stride` $stride attr-dict `:` type($array)";
}

def AmxMultiplyOp : Attnc_AmxOp<"multiply"> {
  let summary = "sums[r][c] += sum_p left[r][p] * right[p][c], of pairs of bf16, in f32";
  let arguments = (ins TileRegister:$sums, TileRegister:$left, TileRegister:$right);
  let assemblyFormat = "$sums `by` $left `,` $right attr-dict";
}

#endif
