export enum Tone {
  Kind = "kind",
}

/** A decorator of the kind that frameworks use: legacy, of a method. */
export function shouted(_target: object, _name: string, descriptor: PropertyDescriptor): void {
  const { value } = descriptor;
  descriptor.value = function (...args: unknown[]) {
    return String(Reflect.apply(value, this, args)).toUpperCase();
  };
}
