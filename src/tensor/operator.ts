/** Calls of the add-on: any ATen operator by its name, and exceptions as typed errors. */
import { OutOfMemoryError, TensorError } from '../errors.ts'
import { native, type TensorHandle } from './library.ts'
import { giveBack, takeVacant } from './scope.ts'

/** What stands for a value on the other side: the handle of a tensor or a generator, else the value. */
function unwrap(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { handle } = value as { readonly handle?: object }
  return handle ?? unwrapList(value)
}

function unwrapList(value: object): unknown {
  return Array.isArray(value) && typeof value[0] === 'object' ? value.map(unwrap) : value
}

/** The add-on's exception as a typed error; anything else is thrown on as it is. */
export function tensorError(where: string, cause: unknown): unknown {
  const { code, message } = cause as { code?: string; message: string }
  if (code === 'ATTUNE_ARGUMENT') {
    const match = /^(.*?): expected (.*), received (.*)$/s.exec(message)
    return new TensorError({
      where: match?.[1] ?? where,
      expected: match?.[2] ?? 'arguments that fit the schema',
      received: match?.[3] ?? message,
      remedy: 'see the operator’s schema with describeOperator()',
      cause,
    })
  }
  if (code === 'ATTUNE_MEMORY') {
    return new OutOfMemoryError({
      where,
      expected: 'enough free memory',
      received: message.replace(/^\[enforce fail[^\]]*\]\s*(err == 0\.)?\s*/, ''),
      remedy: 'compute fewer at once, or smaller images, or free some memory',
      cause,
    })
  }
  if (code === 'ATTUNE_OPERATOR') {
    return new TensorError({
      where,
      expected: 'arguments that the operator takes',
      received: `libtorch's refusal: ${message}`,
      remedy: 'check the shapes, types and devices of the arguments',
      cause,
    })
  }
  return cause
}

/** Runs a call of the add-on and turns its exceptions into typed errors. */
export function calling<T>(where: string, call: () => T): T {
  try {
    return call()
  } catch (cause) {
    throw tensorError(where, cause)
  }
}

/** Makes a function of an operator; see `operator` in tensor.ts. */
type MakeOperator = <A extends unknown[], R>(name: string, overload?: string) => (...values: A) => R

/**
 * Makes functions that call `aten::<name>.<overload>`, or `<name>.<overload>` of another namespace that the name begins with
 * (`_c10d_functional::all_reduce_`). In-place operators return their first argument.
 * @param tensorOf the tensor of a handle
 */
export function operatorsWith(tensorOf: (handle: TensorHandle) => unknown): MakeOperator {
  const wrap = (result: unknown): unknown => {
    if (typeof result !== 'object' || result === null) return result
    return Array.isArray(result) ? result.map(wrap) : tensorOf(result as TensorHandle)
  }
  return <A extends unknown[], R>(name: string, overload = '') => {
    let id = -1
    let inPlace = false
    let call: ReturnType<typeof native>['call']
    const named = name.includes('::') ? name : `aten::${name}`
    const full = `${named}${overload === '' ? '' : `.${overload}`}`
    return (...values: A): R => {
      const vacant = inPlace ? undefined : takeVacant()
      let result: unknown
      try {
        if (id < 0) {
          ;({ id, inPlace } = native().resolve(named, overload))
          call = native().call
        }
        // Written out because a spread would double the time of small operators.
        switch (values.length) {
          case 1:
            result = call(id, vacant, unwrap(values[0]))
            break
          case 2:
            result = call(id, vacant, unwrap(values[0]), unwrap(values[1]))
            break
          case 3:
            result = call(id, vacant, unwrap(values[0]), unwrap(values[1]), unwrap(values[2]))
            break
          case 4:
            result = call(id, vacant, unwrap(values[0]), unwrap(values[1]), unwrap(values[2]), unwrap(values[3]))
            break
          default:
            result = call(id, vacant, ...values.map(unwrap))
        }
      } catch (cause) {
        giveBack(vacant)
        throw tensorError(full, cause)
      }
      if (vacant !== undefined && result === vacant) return tensorOf(vacant) as R
      giveBack(vacant)
      return (inPlace ? values[0] : wrap(result)) as R
    }
  }
}

/** The schema of an operator, as PyTorch prints it. */
export function describeOperator(name: string, overload = ''): string {
  return calling(name, () => native().resolve(`aten::${name}`, overload).schema)
}
