/** Element types by the names that PyTorch and safetensors users know. The codes are c10::ScalarType's. */
const codes = {
  uint8: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  bool: 11,
  bfloat16: 15,
} as const

/** An element type of tensors. */
export type Dtype = keyof typeof codes

const names = new Map<number, Dtype>(Object.entries(codes).map(([name, code]) => [code, name as Dtype]))

/** All element types. */
export const dtypes = Object.keys(codes) as Dtype[]

/** The library's number of an element type. */
export function dtypeCode(dtype: Dtype): number {
  return codes[dtype]
}

/** The element type of a number of the library. */
export function dtypeOfCode(code: number): Dtype {
  return names.get(code) ?? 'float32'
}

/** Bytes an element takes. */
export function elementSize(dtype: Dtype): number {
  switch (dtype) {
    case 'uint8':
    case 'int8':
    case 'bool':
      return 1
    case 'int16':
    case 'float16':
    case 'bfloat16':
      return 2
    case 'int32':
    case 'float32':
      return 4
    case 'int64':
    case 'float64':
      return 8
  }
}
