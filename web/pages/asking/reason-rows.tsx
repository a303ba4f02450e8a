import { useEffect, useId, useRef } from 'react'
import { Icon } from '../../components/icon.tsx'
import { useTexts } from '../../texts/texts.ts'
import type { Written } from './guidelines-draft.ts'

type Reasons = Written['reasons']

interface ReasonRowsProps {
  readonly reasons: Reasons
  /** By the field, as `reasons.2.code`, what is expected there. */
  readonly wrong: ReadonlyMap<string, string>
  readonly change: (reasons: Reasons) => void
}

const most = 30

const codeOf = (label: string) =>
  label
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replaceAll(/^-|-$/g, '')

/** A label, and the code that stands for it in the data; the code follows the label until it is written by hand. */
export function ReasonRows({ reasons, wrong, change }: ReasonRowsProps) {
  const { reasons: texts } = useTexts().asking
  const id = useId()
  const group = useRef<HTMLFieldSetElement>(null)
  // Where the focus goes once the rows have changed.
  const wanted = useRef<string>(undefined)
  useEffect(() => {
    if (wanted.current === undefined) return
    group.current?.querySelector<HTMLElement>(`[data-field="${wanted.current}"]`)?.focus()
    wanted.current = undefined
  })
  const relabel = (place: number, label: string) => {
    const { code, label: before } = reasons[place]
    change(reasons.with(place, { code: code === codeOf(before) ? codeOf(label) : code, label }))
  }
  const move = (place: number, by: -1 | 1) => {
    const [moved, target] = [reasons[place], place + by]
    const isEnd = by === -1 ? target === 0 : target === reasons.length - 1
    wanted.current = `${isEnd ? (by === -1 ? 'down' : 'up') : by === -1 ? 'up' : 'down'}-${target}`
    change(reasons.toSpliced(place, 1).toSpliced(target, 0, moved))
  }
  const remove = (place: number) => {
    wanted.current = reasons.length === 1 ? 'add' : `label-${Math.min(place, reasons.length - 2)}`
    change(reasons.toSpliced(place, 1))
  }
  return (
    <fieldset className="field" ref={group} aria-describedby={`${id}-hint`}>
      <legend>{texts.title}</legend>
      {reasons.length === 0 ? (
        <p className="soft small">{texts.none}</p>
      ) : (
        <ol className="reason-rows">
          {reasons.map(({ code, label }, place) => {
            const [wrongLabel, wrongCode] = ['label', 'code'].map((name) => wrong.get(`reasons.${place}.${name}`))
            return (
              <li key={place}>
                <input
                  type="text"
                  value={label}
                  maxLength={200}
                  dir="auto"
                  placeholder={texts.whatRatersRead}
                  data-field={`label-${place}`}
                  aria-label={texts.reason(place + 1)}
                  aria-invalid={wrongLabel !== undefined || undefined}
                  onChange={({ target }) => relabel(place, target.value)}
                />
                <input
                  type="text"
                  className="code"
                  value={code}
                  maxLength={60}
                  spellCheck={false}
                  autoCapitalize="none"
                  placeholder={texts.code}
                  aria-label={texts.codeOf(place + 1)}
                  aria-invalid={wrongCode !== undefined || undefined}
                  onChange={({ target }) => change(reasons.with(place, { code: target.value, label }))}
                />
                <span className="reason-tools">
                  <button
                    type="button"
                    className="button quiet icon"
                    data-field={`up-${place}`}
                    aria-label={texts.up(place + 1)}
                    disabled={place === 0}
                    onClick={() => move(place, -1)}
                  >
                    <Icon name="up" size={18} />
                  </button>
                  <button
                    type="button"
                    className="button quiet icon"
                    data-field={`down-${place}`}
                    aria-label={texts.down(place + 1)}
                    disabled={place === reasons.length - 1}
                    onClick={() => move(place, 1)}
                  >
                    <Icon name="down" size={18} />
                  </button>
                  <button
                    type="button"
                    className="button quiet icon"
                    aria-label={texts.remove(place + 1)}
                    onClick={() => remove(place)}
                  >
                    <Icon name="close" size={18} />
                  </button>
                </span>
                {(wrongLabel ?? wrongCode) !== undefined && (
                  <span className="wrong">
                    {wrongLabel === undefined ? texts.acceptedCode(wrongCode!) : texts.acceptedLabel(wrongLabel)}
                  </span>
                )}
              </li>
            )
          })}
        </ol>
      )}
      <div>
        <button
          type="button"
          className="button small"
          data-field="add"
          disabled={reasons.length >= most}
          onClick={() => {
            wanted.current = `label-${reasons.length}`
            change([...reasons, { code: '', label: '' }])
          }}
        >
          {texts.add}
        </button>
      </div>
      <span className="hint" id={`${id}-hint`}>
        {texts.hint}
      </span>
    </fieldset>
  )
}
