/** While marking: the kind of mark, and the words of the prompt that an image misreads. */
import { useState, type ReactNode } from 'react'
import { wordsOf } from '../../../src/prompts/words.ts'
import { mostRegions } from '../../../src/records.ts'
import { longest } from '../../components/prompt-text.tsx'
import { Tabs } from '../../components/tabs.tsx'
import type { Texts } from '../../texts/en.ts'
import { useTexts } from '../../texts/texts.ts'
import type { KeyLines } from './keys.ts'
import { withWord, type ImageMarks, type Point } from './marks.ts'

/** An image on the screen that can be marked. */
export interface MarkedImage {
  readonly id: string
  /** `Image 2`, `Left`. */
  readonly name: string
  /** Of its words: `Words: image 2`. */
  readonly words: string
}

export const markKeys = ({ keys }: Texts['label']): KeyLines => [
  [['M'], keys.mark],
  [['N'], keys.otherKind],
]

/** @param images on the screen that can be marked */
export function useMarking(images: readonly MarkedImage[]) {
  const [isOn, setOn] = useState(false)
  const [kind, chooseKind] = useState<Point['kind']>('implausible')
  const [chosen, chooseImage] = useState<string>()
  const image = images.find(({ id }) => id === chosen) ?? images.at(0)
  return { isOn, toggle: () => setOn((before) => !before), kind, chooseKind, image, chooseImage }
}

interface MarkBarProps {
  readonly kind: Point['kind']
  readonly chooseKind: (kind: Point['kind']) => void
  /** Of which words are marked. */
  readonly image: MarkedImage
  readonly images: readonly MarkedImage[]
  readonly chooseImage: (id: string) => void
  readonly marks: ImageMarks
}

const kinds = ['implausible', 'misaligned'] as const

export function MarkBar({ kind, chooseKind, image, images, chooseImage, marks }: MarkBarProps) {
  const { marks: texts } = useTexts().label
  return (
    <div className="mark-bar" role="group" aria-label={texts.marking}>
      <span className="mark-kinds">
        <Tabs
          label={texts.kindOfNext}
          value={kind}
          options={kinds.map((value) => ({ value, label: texts.kinds[value] }))}
          choose={chooseKind}
        />
        <kbd>N</kbd>
      </span>
      {images.length > 1 && (
        <Tabs
          label={texts.whoseWords}
          value={image.id}
          options={images.map(({ id, words }) => ({ value: id, label: words }))}
          choose={chooseImage}
        />
      )}
      <span className="soft small" role="status">
        {marks.points.length >= mostRegions ? texts.allThatFit(mostRegions) : texts.how}
      </span>
    </div>
  )
}

interface PromptWordsProps {
  readonly text: string
  readonly image: MarkedImage
  readonly marks: ImageMarks
  readonly change: (marks: ImageMarks) => void
}

/** The prompt, of which each word can be marked. */
export function PromptWords({ text, image, marks, change }: PromptWordsProps) {
  const { misses } = useTexts().label.marks
  const words = wordsOf(text)
  const parts: ReactNode[] = []
  let end = 0
  for (const [place, { at, word }] of words.entries()) {
    parts.push(text.slice(end, at))
    parts.push(
      <button
        key={at}
        type="button"
        className="prompt-word"
        aria-pressed={marks.words.includes(place)}
        aria-label={misses(image.name, word)}
        onClick={() => change(withWord(marks, place))}
      >
        {word}
      </button>,
    )
    end = at + word.length
  }
  return (
    <p
      className={text.length > longest ? 'label-prompt words long' : 'label-prompt words'}
      dir="auto"
      data-testid="prompt"
    >
      {parts}
      {text.slice(end)}
    </p>
  )
}
