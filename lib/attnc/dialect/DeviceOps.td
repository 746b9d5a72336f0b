// What a kernel of warp groups asks of its device, an operation for each thing (gpu/WarpGroups.h). A place in the memory
// that a block shares is its address, an i32. A barrier there counts arrivals and bytes: its phases are numbered by
// parity, and end when all arrivals of the phase and all bytes that were expected have come.
#ifndef ATTNC_DEVICE_OPS
#define ATTNC_DEVICE_OPS

include "attnc/dialect/AttncBase.td"

def ProcessorsOp : Attnc_Op<"processors", [Pure]> {
  let summary = "how many blocks a device works on at once, one on each of its multiprocessors";
  let results = (outs Index:$count);
  let assemblyFormat = "attr-dict";
}

def TensorMapOp : Attnc_Op<"tensor_map", [Pure, AttrSizedOperandSegments]> {
  let summary = "how boxes of an array are read: made by the host, an argument of a kernel by its value";
  let description = [{
    The axes begin with the one that runs along memory, which has no stride. Strides are in elements. A box has the
    extents `box`; its rows of 128 bytes go to shared memory swizzled: bits 4 to 6 of an address are turned by bits 7 to
    9. What lies outside the array is 0 there.
  }];
  let arguments = (ins AnyMemRef:$array, Variadic<Index>:$extents, Variadic<Index>:$strides, DenseI64ArrayAttr:$box);
  let results = (outs MemRefRankOf<[I64], [0]>:$map);
  let assemblyFormat = [{
    $array `extents` `(` $extents `)` `strides` `(` $strides `)` `box` $box attr-dict `:` type($array) `->` type($map)
  }];
}

def BeginBarrierOp : Attnc_Op<"begin_barrier"> {
  let summary = "a barrier of so many arrivals, in its phase of parity 0";
  let arguments = (ins I32:$barrier, I64Attr:$arrivals);
  let assemblyFormat = "$barrier `arrivals` $arrivals attr-dict";
}

def PublishBarriersOp : Attnc_Op<"publish_barriers"> {
  let summary = "barriers that this thread began are seen by what copies";
  let assemblyFormat = "attr-dict";
}

def ExpectOp : Attnc_Op<"expect"> {
  let summary = "arrives at a barrier; so many bytes belong to its phase too";
  let arguments = (ins I32:$barrier, I64Attr:$bytes);
  let assemblyFormat = "$barrier `bytes` $bytes attr-dict";
}

def ArriveOp : Attnc_Op<"arrive"> {
  let summary = "arrives at a barrier, under a condition";
  let arguments = (ins I32:$barrier, I1:$condition);
  let assemblyFormat = "$barrier `if` $condition attr-dict";
}

def WaitOp : Attnc_Op<"wait"> {
  let summary = "waits for the end of a barrier's phase of that parity";
  let arguments = (ins I32:$barrier, I32:$parity);
  let assemblyFormat = "$barrier `parity` $parity attr-dict";
}

def LoadBoxOp : Attnc_Op<"load_box"> {
  let summary = "asks for a box of an array; its bytes come to the barrier";
  let arguments = (ins AnyMemRef:$map, Variadic<I32>:$at, I32:$to, I32:$barrier);
  let assemblyFormat = "$map `[` $at `]` `to` $to `barrier` $barrier attr-dict `:` type($map)";
}

def RegistersOp : Attnc_Op<"registers"> {
  let summary = "how many registers each thread of a warp group has from here on, which are more or fewer";
  let arguments = (ins I64Attr:$count, UnitAttr:$more);
  let assemblyFormat = "(`more` $more^)? $count attr-dict";
}

def MeetOp : Attnc_Op<"meet"> {
  let summary = "waits at the meeting of that number until so many threads have come or passed";
  let arguments = (ins I32:$number, I64Attr:$threads);
  let assemblyFormat = "$number `threads` $threads attr-dict";
}

def PassOp : Attnc_Op<"pass"> {
  let summary = "comes by at the meeting of that number, without waiting";
  let arguments = (ins I32:$number, I64Attr:$threads);
  let assemblyFormat = "$number `threads` $threads attr-dict";
}

def GroupProductOp : Attnc_Op<"group_product", [AttrSizedOperandSegments]> {
  let summary = "a warp group asks its matrix unit for sums + a b, of 64 rows; its results are there when awaited";
  let description = [{
    `sums`: a thread's part of 64 × 2 `sums` numbers; none where they begin with 0. The left factor is in registers, four
    words of 16 columns, or in shared memory as the descriptor says; the right factor is in shared memory. A step is of 16
    columns of the left factor; `leftSteps` and `rightSteps` are what is added to the descriptors for each. `turned`: the
    columns of the right factor run along memory, not its rows.
  }];
  let arguments = (ins Variadic<F32>:$sums, Variadic<I32>:$left, Optional<I64>:$leftMatrix, I64:$rightMatrix,
                       DenseI64ArrayAttr:$leftSteps, DenseI64ArrayAttr:$rightSteps, UnitAttr:$turned,
                       TypeAttr:$element);
  let results = (outs Variadic<F32>:$results);
  let assemblyFormat = [{
    (`turned` $turned^)? $element `sums` `(` $sums `)` `left` `(` $left `)` (`at` $leftMatrix^)? `steps` $leftSteps
    `right` $rightMatrix `steps` $rightSteps attr-dict `->` type($results)
  }];
}

def AwaitOp : Attnc_Op<"await", [AllTypesMatch<["sums", "results"]>]> {
  let summary = "the results of a warp group's oldest product, while so many others may go on";
  let arguments = (ins Variadic<F32>:$sums, I64Attr:$pending);
  let results = (outs Variadic<F32>:$results);
  let assemblyFormat = "`pending` $pending $sums attr-dict `:` type($sums)";
}

#endif
