import ts from 'typescript';

/**
 * The newest contract of what a file uses of the SDK, as the tag `@contract` of each declaration there says; 1 where none
 * has one. Of what has the type `any` the name alone is known: it counts as the SDK's that has that name. Only a name that is
 * put together at run time is not seen.
 */
export function usedContract(source: ts.SourceFile, checker: ts.TypeChecker, sdk: ts.SourceFile): number {
  const tagged = taggedMembers(sdk);
  let newest = 1;
  const visit = (node: ts.Node): void => {
    for (const { of, name } of lookedUp(node, checker)) {
      const contract = tagged.get(name);
      if (contract !== undefined && isOfSdk({ of, name }, checker, sdk)) {
        newest = Math.max(newest, contract);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return newest;
}

/** A member that is looked up by name. */
interface LookUp {
  readonly of: ts.Type;
  readonly name: string;
}

/** What `a.b`, `a['b']`, `const { b } = a` or `({ b } = a)` look up. */
function lookedUp(node: ts.Node, checker: ts.TypeChecker): readonly LookUp[] {
  if (ts.isPropertyAccessExpression(node)) {
    return [{ of: checker.getTypeAtLocation(node.expression), name: node.name.text }];
  }
  if (ts.isElementAccessExpression(node)) {
    return named(checker.getTypeAtLocation(node.expression), checker.getTypeAtLocation(node.argumentExpression));
  }
  if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent) && node.dotDotDotToken === undefined) {
    return boundIn(checker.getTypeAtLocation(node.parent), node.propertyName ?? node.name, checker);
  }
  const assigned = ts.isBinaryExpression(node) ? assignedFrom(node) : undefined;
  return assigned === undefined ? [] : takenBy(assigned.pattern, checker.getTypeAtLocation(assigned.from), checker);
}

function assignedFrom({
  left,
  right,
  operatorToken,
}: ts.BinaryExpression): { readonly pattern: ts.ObjectLiteralExpression; readonly from: ts.Expression } | undefined {
  const isAssigned = operatorToken.kind === ts.SyntaxKind.EqualsToken && ts.isObjectLiteralExpression(left);
  return isAssigned ? { pattern: left, from: right } : undefined;
}

/** What an assignment takes out of a value: members, and members of these. */
function takenBy(pattern: ts.ObjectLiteralExpression, of: ts.Type, checker: ts.TypeChecker): readonly LookUp[] {
  return pattern.properties.flatMap((property) => {
    const looked = property.name === undefined ? [] : boundIn(of, property.name, checker);
    const inner = ts.isPropertyAssignment(property) ? property.initializer : undefined;
    return inner !== undefined && ts.isObjectLiteralExpression(inner)
      ? [...looked, ...looked.flatMap((each) => takenBy(inner, memberType(each, checker), checker))]
      : looked;
  });
}

function memberType({ of, name }: LookUp, checker: ts.TypeChecker): ts.Type {
  const member = checker.getPropertyOfType(checker.getNonNullableType(of), name);
  return member === undefined ? checker.getAnyType() : checker.getTypeOfSymbol(member);
}

function boundIn(of: ts.Type, name: ts.BindingName | ts.PropertyName, checker: ts.TypeChecker): readonly LookUp[] {
  if (ts.isComputedPropertyName(name)) {
    return named(of, checker.getTypeAtLocation(name.expression));
  }
  return ts.isIdentifier(name) || ts.isStringLiteral(name) ? [{ of, name: name.text }] : [];
}

/** By each name that an expression of the type may be. */
function named(of: ts.Type, type: ts.Type): readonly LookUp[] {
  const all = type.isUnion() ? type.types : [type];
  return all.flatMap((each) => (each.isStringLiteral() ? [{ of, name: each.value }] : []));
}

/** Whether the member is one that the SDK declares, or may be for all that is known. */
function isOfSdk({ of, name }: LookUp, checker: ts.TypeChecker, sdk: ts.SourceFile): boolean {
  const types = of.isUnion() ? of.types : [of];
  return types.some((each) => {
    const declared = checker.getPropertyOfType(checker.getApparentType(each), name)?.declarations ?? [];
    // A tag that the rule's own files have says nothing.
    return (each.flags & ts.TypeFlags.Any) !== 0 || declared.some((declaration) => declaration.getSourceFile() === sdk);
  });
}

/** Of each name among the SDK's members the contract that it needs, where that is not the first. */
function taggedMembers(sdk: ts.SourceFile): ReadonlyMap<string, number> {
  const members = new Map<string, number>();
  const visit = (node: ts.Node): void => {
    const tag = ts.getJSDocTags(node).find(({ tagName }) => tagName.text === 'contract');
    const name = ts.isTypeElement(node) || ts.isClassElement(node) ? node.name : undefined;
    if (tag !== undefined && name !== undefined && ts.isIdentifier(name)) {
      const contract = Number(ts.getTextOfJSDocComment(tag.comment) ?? 1);
      members.set(name.text, Math.max(contract, members.get(name.text) ?? 1));
    }
    ts.forEachChild(node, visit);
  };
  visit(sdk);
  return members;
}
