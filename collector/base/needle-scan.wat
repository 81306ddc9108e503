;; Finds the places where one of up to eight groups of needles may begin, sixteen bytes at a time.
;;
;; The first three bytes of a needle are its fingerprint. For each of those bytes there are two tables of sixteen entries, one for the lower and
;; one for the upper half of a byte; bit g of an entry is set where a needle of group g has such a half there. A place is a candidate where some
;; bit is set in all six entries that its three bytes select (the "Teddy" search of the Hyperscan library).
;;
;; Memory: tables at 0 (lower halves of bytes 1, 2, 3, then the upper halves), candidates as i32 offsets from 128 on, the text from 16384 on,
;; followed by at least 18 zero bytes.
(module
  (memory (export "memory") 3)

  ;; scan(from, to): candidates in [from, to) of the text. Gives their number and stops after the block in which it passes 4000.
  ;; The place to go on from is left in `next`.
  (global $next (export "next") (mut i32) (i32.const 0))

  (func (export "scan") (param $from i32) (param $to i32) (result i32)
    (local $at i32) (local $count i32) (local $mask i32)
    (local $first v128) (local $second v128) (local $third v128) (local $hits v128)
    (local $low1 v128) (local $low2 v128) (local $low3 v128) (local $high1 v128) (local $high2 v128) (local $high3 v128) (local $half v128)
    (local.set $at (local.get $from))
    (local.set $half (v128.const i8x16 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15))
    (local.set $low1 (v128.load (i32.const 0)))
    (local.set $low2 (v128.load (i32.const 16)))
    (local.set $low3 (v128.load (i32.const 32)))
    (local.set $high1 (v128.load (i32.const 48)))
    (local.set $high2 (v128.load (i32.const 64)))
    (local.set $high3 (v128.load (i32.const 80)))
    (block $done
      (loop $blocks
        (br_if $done (i32.ge_u (local.get $at) (local.get $to)))
        (br_if $done (i32.gt_u (local.get $count) (i32.const 4000)))
        (local.set $first (v128.load offset=16384 (local.get $at)))
        (local.set $second (v128.load offset=16385 (local.get $at)))
        (local.set $third (v128.load offset=16386 (local.get $at)))
        (local.set $hits
          (v128.and
            (v128.and
              (v128.and
                (i8x16.swizzle (local.get $low1) (v128.and (local.get $first) (local.get $half)))
                (i8x16.swizzle (local.get $high1) (i8x16.shr_u (local.get $first) (i32.const 4))))
              (v128.and
                (i8x16.swizzle (local.get $low2) (v128.and (local.get $second) (local.get $half)))
                (i8x16.swizzle (local.get $high2) (i8x16.shr_u (local.get $second) (i32.const 4)))))
            (v128.and
              (i8x16.swizzle (local.get $low3) (v128.and (local.get $third) (local.get $half)))
              (i8x16.swizzle (local.get $high3) (i8x16.shr_u (local.get $third) (i32.const 4))))))
        (if (v128.any_true (local.get $hits))
          (then
            (local.set $mask (i8x16.bitmask (i8x16.ne (local.get $hits) (v128.const i64x2 0 0))))
            (loop $bits
              (i32.store offset=128
                (i32.shl (local.get $count) (i32.const 2))
                (i32.add (local.get $at) (i32.ctz (local.get $mask))))
              (local.set $count (i32.add (local.get $count) (i32.const 1)))
              (local.set $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))
              (br_if $bits (local.get $mask)))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $blocks)))
    (global.set $next (local.get $at))
    (local.get $count)))
