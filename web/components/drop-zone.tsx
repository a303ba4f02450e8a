import { useId, useState, type ReactNode } from 'react'

interface DropZoneProps {
  readonly accept: string
  readonly isMany?: boolean
  readonly label: string
  readonly take: (files: readonly File[]) => void
  readonly children: ReactNode
}

/** Files by a picker, or dropped. */
export function DropZone({ accept, isMany = false, label, take, children }: DropZoneProps) {
  const [isOver, setOver] = useState(false)
  const id = useId()
  return (
    <div
      className="drop-zone"
      data-over={isOver}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        take([...event.dataTransfer.files])
      }}
    >
      <input
        id={id}
        className="hidden"
        type="file"
        accept={accept}
        multiple={isMany}
        onChange={({ target }) => {
          take([...(target.files ?? [])])
          target.value = ''
        }}
      />
      <label htmlFor={id} className="button">
        {label}
      </label>
      <span className="soft" dir="auto">
        {children}
      </span>
    </div>
  )
}
