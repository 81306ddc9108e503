;; Copies text and escapes what JSON escapes, sixteen bytes at a time.
;;
;; A table has eight bytes for each byte below 128: what stands in its place, at most seven bytes, and behind them, in the eighth, how many those are.
(module
  (memory (export "memory") 8)

  ;; escape(from, last, to, table): writes the bytes from `from` to before `last` to `to`; gives where what was written ends. Reads up to 15 bytes
  ;; behind `last`, and writes up to 16 behind that end.
  (func (export "escape") (param $from i32) (param $last i32) (param $to i32) (param $table i32) (result i32)
    (local $bytes v128) (local $mask i32) (local $entry i64)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $last)))
        (local.set $bytes (v128.load (local.get $from)))
        (v128.store (local.get $to) (local.get $bytes))
        ;; What is below a space, a quotation mark or a backslash.
        (local.set $mask
          (i8x16.bitmask
            (v128.or
              (i8x16.lt_u (local.get $bytes) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32))
              (v128.or
                (i8x16.eq (local.get $bytes) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34))
                (i8x16.eq (local.get $bytes) (v128.const i8x16 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92))))))
        (if (i32.eqz (local.get $mask))
          (then
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $to (i32.add (local.get $to) (i32.const 16)))
            (br $next)))
        (local.set $mask (i32.ctz (local.get $mask)))
        (local.set $from (i32.add (local.get $from) (local.get $mask)))
        (local.set $to (i32.add (local.get $to) (local.get $mask)))
        ;; It may stand behind the text.
        (br_if $done (i32.ge_u (local.get $from) (local.get $last)))
        (local.set $entry
          (i64.load (i32.add (local.get $table) (i32.shl (i32.load8_u (local.get $from)) (i32.const 3)))))
        (i64.store (local.get $to) (local.get $entry))
        (local.set $to (i32.add (local.get $to) (i32.wrap_i64 (i64.shr_u (local.get $entry) (i64.const 56)))))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br $next)))
    (i32.sub (local.get $to) (i32.sub (local.get $from) (local.get $last)))))
