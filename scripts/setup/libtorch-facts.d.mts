export const shared: string
export function versionOf(folder: string): string | undefined
export function builtFor(folder: string): { cuda: string | undefined; hip: boolean }
export function missingLibrary(folder: string): string | undefined
