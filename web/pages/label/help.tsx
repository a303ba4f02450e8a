import type { ShownGuidelines } from '../../../src/studio/schemas/labelling.ts'
import { Drawer } from '../../components/drawer.tsx'
import { to } from '../../router.ts'
import { useTexts } from '../../texts/texts.ts'
import { Examples } from './examples.tsx'
import { GuidelinesText } from './guidelines.tsx'
import type { KeyLines } from './keys.ts'

interface HelpProps {
  readonly guidelines?: Pick<ShownGuidelines, 'text' | 'examples'>
  readonly keys: KeyLines
  readonly canEdit: boolean
  readonly close: () => void
}

/** What to look at, and the keys. */
export function Help({ guidelines, keys, canEdit, close }: HelpProps) {
  const { label } = useTexts()
  const { keys: texts, keyNames } = label
  return (
    <Drawer title={label.guidelines} close={close}>
      {guidelines !== undefined && (
        <>
          <GuidelinesText text={guidelines.text} />
          <Examples examples={guidelines.examples} />
        </>
      )}
      {canEdit && (
        <div>
          <a className="button small" href={to('raters', 'asking')}>
            {label.editGuidelines}
          </a>
        </div>
      )}
      <h3 className="keys-line">{texts.title}</h3>
      <dl className="keys keys-line">
        {[...keys, [['U', keyNames.undo], texts.undo] as const, [['?'], texts.thisSheet] as const].map(
          ([names, text]) => (
            <div key={text} className="key-line">
              <dt>
                {names.map((name) => (
                  <kbd key={name}>{name}</kbd>
                ))}
              </dt>
              <dd>{text}</dd>
            </div>
          ),
        )}
      </dl>
    </Drawer>
  )
}
