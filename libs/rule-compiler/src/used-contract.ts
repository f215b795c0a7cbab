import ts from 'typescript';

/**
 * The newest contract of what a file uses of the SDK, as the tag `@contract` of each declaration there says; 1 where none
 * has one. What is used behind a cast to `any` is not seen.
 */
export function usedContract(source: ts.SourceFile, checker: ts.TypeChecker, sdkPath: string): number {
  let newest = 1;
  const visit = (node: ts.Node): void => {
    for (const declaration of usedMember(node, checker)?.declarations ?? []) {
      // A tag that the rule's own files have says nothing.
      if (declaration.getSourceFile().fileName === sdkPath) {
        newest = Math.max(newest, taggedContract(declaration));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return newest;
}

/** What `a.b`, `a['b']` or `const { b } = a` looks up. */
function usedMember(node: ts.Node, checker: ts.TypeChecker): ts.Symbol | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    return checker.getSymbolAtLocation(node.name);
  }
  if (ts.isElementAccessExpression(node)) {
    return checker.getSymbolAtLocation(node.argumentExpression);
  }
  if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
    const name = node.propertyName ?? node.name;
    return ts.isIdentifier(name) || ts.isStringLiteral(name)
      ? checker.getTypeAtLocation(node.parent).getProperty(name.text)
      : undefined;
  }
  return undefined;
}

function taggedContract(declaration: ts.Declaration): number {
  const tag = ts.getJSDocTags(declaration).find(({ tagName }) => tagName.text === 'contract');
  return Number(ts.getTextOfJSDocComment(tag?.comment) ?? 1);
}
