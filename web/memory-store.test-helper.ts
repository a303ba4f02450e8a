/** A browser's store without a browser: in memory, of so many characters. */
import type { TextStore } from './stored.ts'

export class MemoryStore implements TextStore {
  readonly texts = new Map<string, string>()
  readonly #most: number

  constructor(most = Infinity) {
    this.#most = most
  }

  get length(): number {
    return this.texts.size
  }

  key(place: number): string | null {
    return [...this.texts.keys()][place] ?? null
  }

  getItem(key: string): string | null {
    return this.texts.get(key) ?? null
  }

  setItem(key: string, value: string): void {
    const others = [...this.texts].reduce(
      (sum, [name, text]) => sum + (name === key ? 0 : name.length + text.length),
      0,
    )
    if (others + key.length + value.length > this.#most) throw new DOMException('full', 'QuotaExceededError')
    this.texts.set(key, value)
  }

  removeItem(key: string): void {
    this.texts.delete(key)
  }
}
