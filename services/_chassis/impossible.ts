/** Thrown for a pair of state and input that no table lists; it is a defect, never an outcome to be handled. */
export class ImpossibleInput extends Error {
  override readonly name = 'ImpossibleInput';
  readonly machine: string;
  readonly state: string;
  readonly input: string;

  constructor(machine: string, state: string, input: string) {
    super(`${machine}: ${input} is impossible in state ${state}`);
    this.machine = machine;
    this.state = state;
    this.input = input;
  }
}

/** A state machine as data: for each state the inputs it expects, each with its row. */
export type Table<State extends string, Input extends string, Row> = Readonly<
  Record<State, Readonly<Partial<Record<Input, Row>>>>
>;

/** Gives the row that a table lists for this state and input; throws ImpossibleInput where it lists none. */
export function listed<State extends string, Input extends string, Row>(
  machine: string,
  table: Table<State, Input, Row>,
  state: State,
  input: Input,
): Row {
  const row = table[state][input];
  if (row === undefined) throw new ImpossibleInput(machine, state, input);
  return row;
}
