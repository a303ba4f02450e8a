/** A list that stays in order while items come and go. */

/** @param order negative where the first comes first; 0 only for one and the same item */
export class SortedList<T> {
  readonly items: T[] = []
  readonly #order: (a: T, b: T) => number

  constructor(order: (a: T, b: T) => number) {
    this.#order = order
  }

  /** The item that stands in the same place of the order. */
  find(like: T): T | undefined {
    const place = this.#placeOf(like)
    const found = this.items.at(place)
    return place < this.items.length && found !== undefined && this.#order(found, like) === 0 ? found : undefined
  }

  add(item: T): void {
    this.items.splice(this.#placeOf(item), 0, item)
  }

  /** Nothing happens where it is not there. */
  remove(item: T): void {
    const place = this.#placeOf(item)
    if (place < this.items.length && this.#order(this.items[place], item) === 0) this.items.splice(place, 1)
  }

  /** Of the first item that does not come before this one. */
  #placeOf(item: T): number {
    let low = 0
    let high = this.items.length
    // what is added is most often the last
    if (high > 0 && this.#order(this.items[high - 1], item) < 0) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#order(this.items[middle], item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
