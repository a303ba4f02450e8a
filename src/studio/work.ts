/** How much work a stage has with its settings, in the units in which its speed is kept. */

/**
 * @param work    see `FormFacts.work` of a stage
 * @param valueOf a setting as it is set
 * @returns undefined where a factor is neither a number above 0 nor a list with something in it
 */
export function productOf(
  work: readonly (readonly string[])[],
  valueOf: (setting: string) => unknown,
): number | undefined {
  let product = 1
  for (const names of work) {
    const factor = names.map((name) => countOf(valueOf(name))).find((count) => count !== undefined)
    if (factor === undefined) return undefined
    product *= factor
  }
  return product
}

function countOf(value: unknown): number | undefined {
  const count = Array.isArray(value) ? value.length : value
  return typeof count === 'number' && count > 0 ? count : undefined
}
