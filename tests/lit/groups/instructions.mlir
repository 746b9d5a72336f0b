// What a kernel of warp groups asks of its device: PTX, or calls of the emulated device for one thread of it.
// RUN: attnc-opt %s -attnc-device | FileCheck %s --check-prefix=PTX
// RUN: attnc-opt %s -attnc-emulate | FileCheck %s --check-prefix=CALLS

// PTX-LABEL: func.func @kernel(
// PTX-SAME: %[[MAP:.*]]: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<16 x i64>})
// PTX: llvm.ptrtoint %[[MAP]]
// PTX: llvm.inline_asm has_side_effects "mbarrier.init.shared::cta.b64 [$0], 1;", "r,~{memory}"
// PTX: "fence.mbarrier_init.release.cluster;"
// PTX: "setmaxnreg.inc.sync.aligned.u32 232;"
// PTX: "mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], 512;"
// PTX: "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [$0], [$1, {$2, $3}], [$4];", "r,l,r,r,r,~{memory}"
// PTX: mbarrier.try_wait.parity.shared::cta.b64
// PTX: "bar.sync $0, 256;"
// PTX: "bar.arrive $0, 256;"
// PTX: wgmma.fence.sync.aligned;{{.*}}setp.ne.b32 more, 0, 0;{{.*}}wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {$0, $1, $2, $3}, a, b, more, 1, 1, 0, 0;{{.*}}wgmma.commit_group.sync.aligned;
// PTX-SAME: "=f,=f,=f,=f,l,l,~{memory}"
// PTX: wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {$0, $1, $2, $3}, {$8, $9, $10, $11}, b, more, 1, 1, 1;
// PTX-SAME: "=f,=f,=f,=f,0,1,2,3,r,r,r,r,l,~{memory}"
// PTX: "wgmma.wait_group.sync.aligned 0;", "=f,=f,=f,=f,0,1,2,3,~{memory}"
// PTX: @here mbarrier.arrive.shared::cta.b64 _, [$0];
// PTX-NOT: attnc.

// CALLS-DAG: func.func private @attnc_emulated_wait(i32, i32)
// CALLS-DAG: func.func private @attnc_emulated_load_box(i64, i32, i32, i32, i32, i32, i32, i32)
// CALLS-LABEL: func.func @kernel(
// CALLS-SAME: memref<i64>{{.*}}, %{{.*}}: index)
// CALLS: call @attnc_emulated_begin_barrier
// CALLS: call @attnc_emulated_expect
// CALLS: call @attnc_emulated_load_box
// CALLS: call @attnc_emulated_wait
// CALLS: call @attnc_emulated_meet
// CALLS: call @attnc_emulated_pass
// CALLS: call @attnc_emulated_product
// CALLS: call @attnc_emulated_product
// CALLS: call @attnc_emulated_await
// CALLS: call @attnc_emulated_arrive
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @kernel(%map: memref<i64> {attnc.map}) kernel attributes {known_block_size = array<i32: 384, 1, 1>} {
      %memory = memref.alloca() {alignment = 1024 : i64} : memref<4096xi8, 3>
      %at = memref.extract_aligned_pointer_as_index %memory : memref<4096xi8, 3> -> index
      %base = arith.index_cast %at : index to i32
      %none = arith.constant 0 : i32
      %matrix = arith.extui %base : i32 to i64
      %true = arith.constant true
      attnc.begin_barrier %base arrivals 1
      attnc.publish_barriers
      attnc.registers more 232
      attnc.expect %base bytes 512
      attnc.load_box %map[%none, %none] to %base barrier %base : memref<i64>
      attnc.wait %base parity %none
      attnc.meet %none threads 256
      attnc.pass %none threads 256
      %s:4 = attnc.group_product bf16 sums() left() at %matrix steps [0] right %matrix steps [0] -> f32, f32, f32, f32
      %o:4 = attnc.group_product turned bf16 sums(%s#0, %s#1, %s#2, %s#3) left(%base, %base, %base, %base) steps [] right %matrix steps [0] -> f32, f32, f32, f32
      %r:4 = attnc.await pending 0 %o#0, %o#1, %o#2, %o#3 : f32, f32, f32, f32
      attnc.arrive %base if %true
      gpu.return
    }
  }
}
