/**
 * The file of a process that this program starts: it lies beside the caller and ends as the caller does, `.ts` in a
 * checkout and `.js` in the package that is made of it.
 *
 * @param from `import.meta.url` of the caller
 * @param name relative path without an ending: `./print-stages`
 */
export const scriptBeside = (from: string, name: string): URL => new URL(`${name}${from.slice(-3)}`, from)
