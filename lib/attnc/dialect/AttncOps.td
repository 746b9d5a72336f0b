// The `attnc` dialect: one operation for each generator of a diagram (diagram/Generator.h), on values.
//
// A wire of type `[n d]` is a `tensor<?x?xf32>`, a scalar a `tensor<f32>`; where sizes are known the types
// are static. Reals are f32 or f64, ints i64, bools i1. What depends on a size that is not known takes it as
// an `index`. Wires enter a region only as its arguments; sizes and the arrays of learners are seen from
// inside directly, because they are no wires of the diagram.
#ifndef ATTNC_OPS
#define ATTNC_OPS

include "attnc/dialect/AttncBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"

def Wire : RankedTensorOf<[F32, F64, I64, I1]>;
def Indices : RankedTensorOf<[I64]>;
def IndexWire : 0DTensorOf<[I64]>;

def ConstOp : Attnc_Op<"const", [Pure]> {
  let summary = "a scalar constant";
  let arguments = (ins TypedAttrInterface:$value);
  let results = (outs Wire:$result);
  let assemblyFormat = "$value attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def SizeOp : Attnc_Op<"size", [Pure]> {
  let summary = "the value of a size";
  let arguments = (ins Index:$size);
  let results = (outs IndexWire:$result);
  let assemblyFormat = "$size attr-dict `:` type($result)";
}

def PointwiseOp : Attnc_Op<"pointwise", [Pure]> {
  let summary = "a function on scalars, by its name in theory/Pointwise.def";
  let arguments = (ins StrAttr:$fn, Variadic<Wire>:$args);
  let results = (outs Wire:$result);
  let assemblyFormat = "$fn `(` $args `)` attr-dict `:` functional-type($args, $result)";
  let hasVerifier = 1;
}

def GatherOp : Attnc_Op<"gather", [Pure]> {
  let summary = "the slice at an index; zero outside";
  let arguments = (ins Wire:$array, IndexWire:$index);
  let results = (outs Wire:$result);
  let assemblyFormat = "$array `at` $index attr-dict `:` functional-type(operands, $result)";
  let hasVerifier = 1;
}

def ScatterOp : Attnc_Op<"scatter", [Pure]> {
  let summary = "adds slices at indices; drops what falls outside";
  let arguments = (ins Indices:$indices, Wire:$array, Index:$size);
  let results = (outs Wire:$result);
  let assemblyFormat = "$array `at` $indices `into` $size attr-dict `:` type($array) `,` type($indices) `->` type($result)";
  let hasVerifier = 1;
}

def TopKOp : Attnc_Op<"topk", [Pure]> {
  let summary = "the greatest elements and where they are; NaN first, equal ones by lowest index";
  let description = [{
    Between boxes and loops the first `rows` axes are those of the boxes around it: each of their indices has a list of
    its own.
  }];
  let arguments = (ins Wire:$array, Index:$count, DefaultValuedAttr<I64Attr, "0">:$rows);
  let results = (outs Wire:$values, RankedTensorOf<[I64]>:$indices);
  let assemblyFormat = "$array `count` $count attr-dict `:` type($array) `->` type($values) `,` type($indices)";
  let hasVerifier = 1;
}

def SoftmaxOp : Attnc_Op<"softmax", [Pure]> {
  let summary = "softmax over all axes jointly, 0 where all is masked; a sink takes part and is dropped";
  let description = [{
    Between boxes and loops the first `rows` axes are those of the boxes around it: each of their indices has a
    softmax, and a sink, of its own.
  }];
  let arguments = (ins Wire:$array, Optional<Wire>:$sink, DefaultValuedAttr<I64Attr, "0">:$rows);
  let results = (outs Wire:$result);
  let assemblyFormat = "$array (`sink` $sink^ `:` type($sink))? attr-dict `:` type($array) `->` type($result)";
  let hasVerifier = 1;
}

def TransposeOp : Attnc_Op<"transpose", [Pure]> {
  let summary = "swaps the two outermost axes";
  let arguments = (ins Wire:$array);
  let results = (outs Wire:$result);
  let assemblyFormat = "$array attr-dict `:` functional-type($array, $result)";
  let hasVerifier = 1;
}

def ReshapeOp : Attnc_Op<"reshape", [Pure]> {
  let summary = "the same elements in row-major order under other axes";
  let arguments = (ins Wire:$array, Variadic<Index>:$axes);
  let results = (outs Wire:$result);
  let assemblyFormat = "$array `to` `[` $axes `]` attr-dict `:` functional-type($array, $result)";
  let hasVerifier = 1;
}

def BoxOp : Attnc_Op<"box", [RecursiveMemoryEffects, SingleBlock]> {
  let summary = "a SIMD box, capped by `sum`, `prod`, `max`, `min`, `any`, `all`, or not (`simd`)";
  let description = [{
    The body runs once for each index below `size`. `mapped[i]` says that operand i enters one slice an
    iteration; the others enter whole. The body's arguments: the index (if `indexed`), then the operands.
  }];
  let arguments = (ins StrAttr:$cap, Index:$size, UnitAttr:$indexed, Variadic<Wire>:$args, DenseBoolArrayAttr:$mapped);
  let results = (outs Variadic<Wire>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$cap $size (`indexed` $indexed^)? `(` $args `)` `mapped` $mapped attr-dict `:` functional-type($args, $results) $body";
  let hasVerifier = 1;
}

def ScanOp : Attnc_Op<"scan", [RecursiveMemoryEffects, SingleBlock]> {
  let summary = "a box that carries `states` states along its axis";
  let description = [{
    Operands: initial states, then wires that enter by `mapped`. Body arguments: the index (if `indexed`),
    states, wires; it yields the next states, then step results. Results: stacked step results, final states.
  }];
  let arguments = (ins Index:$size, UnitAttr:$indexed, I64Attr:$states, Variadic<Wire>:$args, DenseBoolArrayAttr:$mapped);
  let results = (outs Variadic<Wire>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$size (`indexed` $indexed^)? `states` $states `(` $args `)` `mapped` $mapped attr-dict `:` functional-type($args, $results) $body";
  let hasVerifier = 1;
}

def CallOp : Attnc_Op<"call", [RecursiveMemoryEffects, SingleBlock]> {
  let summary = "a named box";
  let arguments = (ins StrAttr:$name, Variadic<Wire>:$args);
  let results = (outs Variadic<Wire>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$name `(` $args `)` attr-dict `:` functional-type($args, $results) $body";
  let hasVerifier = 1;
}

def ApplyOp : Attnc_Op<"apply", [Pure, AttrSizedOperandSegments]> {
  let summary = "a learner (`linear`, `affine`, `param`, `universal`) applied to its domain";
  let description = [{
    The parameters are those of diagram/Parameters.h, in that order. `per[i]` says which enclosing box or scan
    picks along the i-th leading axis of each: 0 is the innermost.
  }];
  let arguments = (ins StrAttr:$kind, StrAttr:$label, Variadic<Wire>:$args, Variadic<Wire>:$parameters, DenseI64ArrayAttr:$per);
  let results = (outs Wire:$result);
  let assemblyFormat = [{
    $kind $label `(` $args `)` `parameters` `(` $parameters `)` `per` $per attr-dict
    `:` functional-type($args, $result) (`with` type($parameters)^)?
  }];
  let hasVerifier = 1;
}

def YieldOp : Attnc_Op<"yield", [Pure, Terminator, ReturnLike, ParentOneOf<["BoxOp", "ScanOp", "CallOp"]>]> {
  let summary = "the outputs of a body";
  let arguments = (ins Variadic<Wire>:$results);
  let assemblyFormat = "($results^ `:` type($results))? attr-dict";
}

//===- Streams ------------------------------------------------------------------------------------------------===//

def Shaped : AnyTypeOf<[AnyRankedTensor, AnyMemRef]>;

def StreamOp : Attnc_Op<"stream", [SingleBlock, AttrSizedOperandSegments,
                                   DeclareOpInterfaceMethods<DestinationStyleOpInterface>]> {
  let summary = "a fold over an axis along which its operands are produced, by an algebra";
  let description = [{
    The loops, in the order of the maps' dimensions: `batch` parallel ones, the queries i, the streamed keys j, then d
    if there is a contraction, then e if there are values.

        c    = sum_d query[.. i d] * key[.. j d]
        s, f = score(.. i j, c, others[..])                  (f is 1 where the region gives s alone)
        y[.. i e] = the algebra's fold over j of weight(s) * f * value[.. j e]      (value is 1 where there is none)
        l[.. i]   = sum_j of the measure, where the region gives one

    With a second key and a second value the fold runs over pairs: i is the index of the second key then, which no result
    runs along, and

        c       = sum_d query[.. d] * key[.. j d] * second_key[.. i d]
        y[.. e] = the algebra's fold over i and j of weight(s) * f * value[.. j e] * second_value[.. i e]

    There a row whose place is outside the array is 0, and places are an index of the batch plus that of the key, plus
    what is the same for all.

    With a region of terms, c = sum_d term(x[.. d]) over an element x of each array of the contraction: `score` is of a pair
    by any function then, not by a product. Those arrays run along any of the loops of the batch, i, j and d, but none
    along both i and j.

    Of "topk" e are ranks, without values: y[.. e] is the score of rank e and another array its key. A sink is the score of
    a key without a value. The algebras are those of stream/Algebra.h. Arguments of the region:
    the indices of the batch, i and j; c; an element of each of the others. Nothing with both the axes i and j is kept in
    memory. A loop along which no operand runs has one index, but there are `keys` keys and `queries` queries where they
    are given. Dimensions of the maps of keys, values and others past the
    loops are
    the places that the region gives, in order, by the index of the batch, i and j; where a place is outside the array, any
    element may be read.
  }];
  let arguments = (ins StrAttr:$algebra, I64Attr:$batch, Variadic<Shaped>:$contraction, Variadic<Shaped>:$value,
                       Variadic<Shaped>:$others, Variadic<Shaped>:$outputs, Optional<Index>:$keys, Optional<Index>:$queries,
                       AffineMapArrayAttr:$maps);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$score, VariadicRegion<SizedRegion<1>>:$terms);
  let assemblyFormat = [{
    $algebra `batch` $batch attr-dict (`contract` `(` $contraction^ `:` type($contraction) `)`)?
    (`values` `(` $value^ `:` type($value) `)`)? (`others` `(` $others^ `:` type($others) `)`)?
    `into` `(` $outputs `:` type($outputs) `)` (`keys` $keys^)? (`queries` $queries^)? `maps` $maps
    (`->` type($results)^)? $score (`terms` $terms^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Whether the contraction is of terms that are not products.
    bool isTermed() { return !getTerms().empty(); }
    bool isContracted() { return !getContraction().empty(); }
    bool isValued() { return !getValue().empty(); }
    /// Whether the fold runs over pairs of keys.
    bool isJoint() { return getValue().size() > 1; }
    /// Whether the results are the greatest scores and their keys.
    bool isRanked() { return getAlgebra() == "topk"; }
    bool isMeasured() { return !isRanked() && getOutputs().size() > 1; }
    /// Whether an array runs along a loop.
    bool runsAlong(unsigned loop);
    /// Whether queries meet keys of their own: rows at places.
    bool hasOwnRows();
    bool hasQueries() { return runsAlong(queryLoop()); }
    mlir::ValueRange arrays() { return getOperands().take_front(getMaps().size()); }
    /// How many indices a loop has, as far as the arrays tell; ShapedType::kDynamic else.
    int64_t extentOf(unsigned loop);
    ScoreOp scoreOp();
    llvm::LogicalResult verifyTerm();
    unsigned queryLoop() { return getBatch(); }
    unsigned keyLoop() { return getBatch() + 1; }
    unsigned depthLoop() { return getBatch() + 2; }
    unsigned featureLoop() { return getBatch() + 2 + isContracted(); }
    unsigned loopCount() { return getBatch() + 2 + isContracted() + (isValued() || isRanked()); }
    /// The map of the i-th operand.
    mlir::AffineMap mapOf(unsigned operand) {
      return mlir::cast<mlir::AffineMapAttr>(getMaps()[operand]).getValue();
    }
  }];
}

def ScoreOp : Attnc_Op<"score", [Pure, Terminator, HasParent<"StreamOp">, AttrSizedOperandSegments]> {
  let summary = "the score of a key for a query; a factor of its weight, a sink beside the keys, a measure, places";
  let arguments = (ins F32:$score, Optional<F32>:$factor, Optional<F32>:$sink, Optional<F32>:$measure,
                       Variadic<Index>:$places);
  let assemblyFormat = [{
    $score (`factor` $factor^)? (`sink` $sink^)? (`measure` $measure^)? (`at` `(` $places^ `)`)? attr-dict
  }];
}

def TermOp : Attnc_Op<"term", [Pure, Terminator, HasParent<"StreamOp">]> {
  let summary = "what one element of each array adds to a contraction";
  let arguments = (ins F32:$term);
  let assemblyFormat = "$term attr-dict";
}

def ChunksOp : Attnc_Op<"chunks", [AttrSizedOperandSegments,
                                   DeclareOpInterfaceMethods<DestinationStyleOpInterface>]> {
  let summary = "an affine scan, evaluated a chunk of steps at a time";
  let description = [{
    The loops, in the order of the maps' dimensions: `batch` parallel ones, the steps t, then d and e.

        S_t[.. d e] = gate[.. t d] * S_(t-1)[.. d e] + key[.. t d] * value[.. t e]      (gate is 1 where there is none)
        y[.. t e]   = sum_d query[.. t d] * S_t[.. d e]                                 (S_(t-1) where it reads `before`)

    `states` are S before the first step, and perhaps z[.. d], a state with 1 in place of the values. The arrays
    written: y, then S after the last step; with z its reads z_t . query[.. t], and z after the last step. The gate, a
    key, a query and a value may be the same along a loop, and kept in bf16. `logarithms`: the array of the gate holds those
    of gates.
  }];
  let arguments = (ins I64Attr:$batch, UnitAttr:$before, UnitAttr:$logarithms, Shaped:$query, Shaped:$key, Shaped:$value,
                       Variadic<Shaped>:$gate, Variadic<Shaped>:$states, Variadic<Shaped>:$outputs,
                       AffineMapArrayAttr:$maps);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    (`before` $before^)? `batch` $batch attr-dict `query` `(` $query `:` type($query) `)` `key` `(` $key `:` type($key) `)`
    `value` `(` $value `:` type($value) `)` (`gate` (`logarithms` $logarithms^)? `(` $gate^ `:` type($gate) `)`)? `from` `(` $states `:` type($states) `)`
    `into` `(` $outputs `:` type($outputs) `)` `maps` $maps (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    bool isGated() { return !getGate().empty(); }
    bool isNormalised() { return getStates().size() > 1; }
    /// How many indices a loop has, as far as the arrays tell; ShapedType::kDynamic else.
    int64_t extentOf(unsigned loop);
    unsigned stepLoop() { return getBatch(); }
    unsigned depthLoop() { return getBatch() + 1; }
    unsigned featureLoop() { return getBatch() + 2; }
    unsigned loopCount() { return getBatch() + 3; }
    /// The map of the i-th operand.
    mlir::AffineMap mapOf(unsigned operand) {
      return mlir::cast<mlir::AffineMapAttr>(getMaps()[operand]).getValue();
    }
  }];
}

//===- Products -----------------------------------------------------------------------------------------------===//

def ProductOp : Attnc_Op<"product", [SingleBlock, AttrSizedOperandSegments,
                                     DeclareOpInterfaceMethods<DestinationStyleOpInterface>]> {
  let summary = "a product of matrices, and what is done with each of its elements";
  let description = [{
    The loops, in the order of the maps' dimensions: `batch` outer ones, of which the last `folded` are folded and the
    others are parallel, then the rows i, the columns j, the depth k.

        y[.. i j] = finish(sum_(folded, k) left[.. i k] * right[.. k j], others[.. i j])

    Columns run along the last axis of what is written. Arguments of the region: the sum, an element of each of the
    others.
  }];
  let arguments = (ins I64Attr:$batch, I64Attr:$folded, Shaped:$left, Shaped:$right, Variadic<Shaped>:$others,
                       Variadic<Shaped>:$outputs, AffineMapArrayAttr:$maps);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$finish);
  let assemblyFormat = [{
    `batch` $batch `folded` $folded attr-dict $left `:` type($left) `by` $right `:` type($right)
    (`others` `(` $others^ `:` type($others) `)`)? `into` `(` $outputs `:` type($outputs) `)` `maps` $maps
    (`->` type($results)^)? $finish
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    unsigned rowLoop() { return getBatch(); }
    unsigned columnLoop() { return getBatch() + 1; }
    unsigned depthLoop() { return getBatch() + 2; }
    unsigned loopCount() { return getBatch() + 3; }
    /// Whether the region gives the sum as it is.
    bool isPlain();
    mlir::Value finished();
    /// The map of the i-th operand.
    mlir::AffineMap mapOf(unsigned operand) {
      return mlir::cast<mlir::AffineMapAttr>(getMaps()[operand]).getValue();
    }
  }];
}

def FinishOp : Attnc_Op<"finish", [Pure, Terminator, HasParent<"ProductOp">]> {
  let summary = "an element of the result of a product";
  let arguments = (ins F32:$element);
  let assemblyFormat = "$element attr-dict";
}

include "attnc/dialect/AmxOps.td"

#endif
