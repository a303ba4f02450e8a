/**
 * Regular expressions of foreign files, without the danger of running them: JavaScript's own take minutes for a hostile
 * one of ten characters. A pattern becomes a small automaton that reads a name once, in all its states together
 * (Thompson 1968), so the time is at most states × length.
 *
 * What is known: characters, `.`, `\d` `\w` `\s` and their opposites, escaped signs, classes, groups, `|`, `*` `+` `?`
 * `{m,n}`, lazy or not, `^` and `$`. That is what patterns of layer names are made of; Python's sense and
 * JavaScript's are the same there.
 */
import { FormatError } from '../../errors.ts'

const most = { characters: 1000, states: 2000 }

/** One step of the automaton: reads a character, or goes on without reading, perhaps only at an end of the name. */
type Step = { readonly reads: (letter: string) => boolean } | { readonly to: number[]; readonly only?: 'start' | 'end' }

export interface LayerPattern {
  /** How much work it is to run it. */
  readonly states: number
  /** Whether it matches the whole of a name, or the end of one from a dot on. */
  matches(name: string): boolean
}

/**
 * @param where file and field, for the complaint
 * @throws {FormatError} no regular expression, a long one, or with something that is not known here
 */
export function layerPattern(source: string, where: string): LayerPattern {
  const refuse = (received: string) =>
    new FormatError({
      where,
      expected: 'regular expressions of characters, ., \\d, classes, groups, |, *, +, ? and {m,n}',
      received: `${JSON.stringify(source)} (${received})`,
      remedy: 'state the names of the layers instead',
    })
  if (source.length > most.characters) throw refuse(`${source.length} characters`)
  const steps: Step[] = []
  // As PEFT does: (.*\.)? before it.
  steps.push({ to: [1, 5] }, { to: [2, 4] }, { reads: anything }, { to: [1] }, { reads: (letter) => letter === '.' })
  new Parser(source, refuse).whole(steps)
  return { states: steps.length, matches: (name) => runs(steps, [...name]) }
}

function runs(steps: readonly Step[], letters: readonly string[]): boolean {
  let places = reached(steps, [0], true, letters.length === 0)
  for (const [at, letter] of letters.entries()) {
    const next: number[] = []
    for (const place of places) {
      const step = steps.at(place)
      if (step !== undefined && 'reads' in step && step.reads(letter)) next.push(place + 1)
    }
    if (next.length === 0) return false
    places = reached(steps, next, false, at === letters.length - 1)
  }
  return places.has(steps.length)
}

/** Places, and all that can be got to from them without reading; the one beyond the last step is the end. */
function reached(steps: readonly Step[], from: readonly number[], isStart: boolean, isEnd: boolean): Set<number> {
  const places = new Set<number>()
  const waiting = [...from]
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (places.has(place)) continue
    places.add(place)
    if (place === steps.length) continue
    const step = steps[place]
    if ('reads' in step || (step.only === 'start' && !isStart) || (step.only === 'end' && !isEnd)) continue
    waiting.push(...step.to)
  }
  return places
}

/** Where a piece of a pattern puts its steps. */
type Piece = (steps: Step[]) => unknown

const anything = (letter: string) => letter !== '\n'
const digit = (letter: string) => letter >= '0' && letter <= '9'
const word = (letter: string) => /^[\p{L}\p{N}_]$/u.test(letter)
const space = (letter: string) => letter.trim() === ''
const kinds: Readonly<Record<string, (letter: string) => boolean>> = {
  d: digit,
  w: word,
  s: space,
  D: (letter) => !digit(letter),
  W: (letter) => !word(letter),
  S: (letter) => !space(letter),
}

/** Reads a pattern from left to right; what it does not know it refuses. */
class Parser {
  readonly #letters: readonly string[]
  readonly #refuse: (received: string) => FormatError
  #place = 0

  constructor(source: string, refuse: (received: string) => FormatError) {
    this.#letters = [...source]
    this.#refuse = refuse
  }

  whole(steps: Step[]): void {
    const piece = this.#choice()
    if (this.#place < this.#letters.length) throw this.#refuse('a closing parenthesis too many')
    piece(steps)
  }

  #choice(): Piece {
    const branches = [this.#row()]
    while (this.#skip('|')) branches.push(this.#row())
    return branches.reduceRight((rest, branch) => (steps) => {
      const fork = this.#push(steps, { to: [steps.length + 1] })
      branch(steps)
      const end = this.#push(steps, { to: [] as number[] })
      fork.to.push(steps.length)
      rest(steps)
      end.to.push(steps.length)
    })
  }

  #row(): Piece {
    const pieces: Piece[] = []
    for (let letter = this.#peek(); letter !== undefined && letter !== '|' && letter !== ')'; letter = this.#peek()) {
      pieces.push(this.#repeated(this.#piece()))
    }
    return (steps) => pieces.forEach((piece) => piece(steps))
  }

  #piece(): Piece {
    const letter = this.#next()
    if (letter === '(') {
      if (this.#skip('?')) this.#expect(':')
      const inner = this.#choice()
      this.#expect(')')
      return inner
    }
    if (letter === '^' || letter === '$') {
      return (steps) => this.#push(steps, { to: [steps.length + 1], only: letter === '^' ? 'start' : 'end' })
    }
    if ('*+?{}'.includes(letter)) throw this.#refuse(`${letter} after nothing`)
    const reads =
      letter === '['
        ? this.#class()
        : letter === '.'
          ? anything
          : letter === '\\'
            ? this.#escaped()
            : (one: string) => one === letter
    return (steps) => this.#push(steps, { reads })
  }

  #escaped(): (letter: string) => boolean {
    const letter = this.#next()
    if (Object.hasOwn(kinds, letter)) return kinds[letter]
    if (/[A-Za-z0-9]/.test(letter)) throw this.#refuse(`\\${letter}`)
    return (one) => one === letter
  }

  #class(): (letter: string) => boolean {
    const isOpposite = this.#skip('^')
    const parts: ((letter: string) => boolean)[] = []
    do {
      const first = this.#next()
      if (first === '\\') parts.push(this.#escaped())
      else if (this.#peek() === '-' && this.#letters[this.#place + 1] !== ']') {
        this.#place++
        const last = this.#next()
        if (last === '\\' || last < first) throw this.#refuse(`the range ${first}-${last}`)
        parts.push((letter) => letter >= first && letter <= last)
      } else parts.push((letter) => letter === first)
    } while (!this.#skip(']'))
    return (letter) => parts.some((part) => part(letter)) !== isOpposite
  }

  #repeated(piece: Piece): Piece {
    const letter = this.#peek()
    let [least, greatest] = [1, 1]
    if (letter === '*' || letter === '+' || letter === '?') {
      this.#place++
      least = letter === '+' ? 1 : 0
      greatest = letter === '?' ? 1 : Infinity
    } else if (this.#skip('{')) {
      least = this.#count() ?? 0
      greatest = this.#skip(',') ? (this.#count() ?? Infinity) : least
      this.#expect('}')
      if (greatest < least) throw this.#refuse('a count that ends before it begins')
    } else return piece
    // Lazy or not makes no difference to whether it matches.
    this.#skip('?')
    if ('*+?{'.includes(this.#peek() ?? ' ')) throw this.#refuse('a repetition of a repetition')
    return (steps) => {
      for (let i = 0, before = -1; i < least && before < steps.length; i++) {
        before = steps.length
        piece(steps)
      }
      if (greatest === Infinity) {
        const from = steps.length
        const fork = this.#push(steps, { to: [from + 1] })
        piece(steps)
        this.#push(steps, { to: [from] })
        fork.to.push(steps.length)
        return
      }
      const forks = Array.from({ length: greatest - least }, () => {
        const fork = this.#push(steps, { to: [steps.length + 1] })
        piece(steps)
        return fork
      })
      for (const fork of forks) fork.to.push(steps.length)
    }
  }

  #count(): number | undefined {
    let digits = ''
    while (digit(this.#peek() ?? '')) digits += this.#next()
    return digits === '' ? undefined : Math.min(Number(digits), most.states + 1)
  }

  #peek(): string | undefined {
    return this.#letters[this.#place]
  }

  #next(): string {
    const letter = this.#letters.at(this.#place++)
    if (letter === undefined) throw this.#refuse('something that does not end')
    return letter
  }

  #skip(letter: string): boolean {
    if (this.#peek() !== letter) return false
    this.#place++
    return true
  }

  #expect(letter: string): void {
    if (!this.#skip(letter)) throw this.#refuse(`no ${letter} where one is needed`)
  }

  #push<S extends Step>(steps: Step[], step: S): S {
    if (steps.length >= most.states) throw this.#refuse('one that is too large')
    steps.push(step)
    return step
  }
}
