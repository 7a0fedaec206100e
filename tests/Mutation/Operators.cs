using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using static Microsoft.CodeAnalysis.CSharp.SyntaxFactory;

namespace Mutation;

/// <summary>One small change of one node.</summary>
/// <param name="Node">What is replaced.</param>
/// <param name="With">What it is replaced by; null: it is removed.</param>
/// <param name="Kind">The operator's name.</param>
internal sealed record Change(SyntaxNode Node, SyntaxNode? With, string Kind)
{
    public T ApplyTo<T>(T root) where T : SyntaxNode =>
        With is null ? root.RemoveNode(Node, SyntaxRemoveOptions.KeepNoTrivia)! : root.ReplaceNode(Node, With.WithTriviaFrom(Node));
}

/// <summary>The mutation operators. What they make need not compile: the build drops what does not.</summary>
/// <param name="constants">Numeric constants of the product, as <c>Type.Name</c>; they are changed where they are used.</param>
internal sealed class Operators(IReadOnlySet<string> constants)
{
    private static readonly Dictionary<string, string> Opposites = new()
    {
        ["Min"] = "Max",
        ["Max"] = "Min",
        ["Any"] = "All",
        ["All"] = "Any",
        ["First"] = "Last",
        ["FirstOrDefault"] = "LastOrDefault",
        ["OrderBy"] = "OrderByDescending",
        ["OrderByDescending"] = "OrderBy",
        ["ThenBy"] = "ThenByDescending",
        ["ThenByDescending"] = "ThenBy",
        ["Take"] = "TakeLast",
        ["TakeLast"] = "Take",
    };

    public IEnumerable<Change> On(SyntaxNode root) =>
        root.DescendantNodesAndSelf(node => !IsIgnored(node)).Where(node => !IsIgnored(node)).SelectMany(OnOne);

    /// <summary>Texts are checked by other means, and an attribute decides nothing.</summary>
    private static bool IsIgnored(SyntaxNode node) =>
        node is AttributeListSyntax or ParameterListSyntax or ThrowExpressionSyntax or ThrowStatementSyntax;

    private IEnumerable<Change> OnOne(SyntaxNode node) => node switch
    {
        BinaryExpressionSyntax binary => Binary(binary),
        PrefixUnaryExpressionSyntax not when not.IsKind(SyntaxKind.LogicalNotExpression) => [new(not, not.Operand, "negation")],
        ConditionalExpressionSyntax choice =>
        [
            new(choice, Enclosed(choice.WhenTrue), "branch"),
            new(choice, Enclosed(choice.WhenFalse), "branch"),
        ],
        LiteralExpressionSyntax literal => OnLiteral(literal),
        IdentifierNameSyntax name when IsConstant(name) => [new(name, With(name, SyntaxKind.AddExpression, 1), "number")],
        MemberAccessExpressionSyntax access when constants.Contains(access.ToString()) =>
            [new(access, With(access, SyntaxKind.AddExpression, 1), "number")],
        IsPatternExpressionSyntax test => [new(test, Negated(test), "negation")],
        BinaryPatternSyntax pattern => [new(pattern, pattern.Left, "pattern"), new(pattern, pattern.Right, "pattern")],
        UnaryPatternSyntax pattern => [new(pattern, pattern.Pattern, "pattern")],
        RelationalPatternSyntax pattern =>
            Relations(pattern.OperatorToken.Kind()).Select(kind => new Change(pattern, pattern.WithOperatorToken(Spaced(kind)), "boundary")),
        ConstantPatternSyntax { Parent: not UnaryPatternSyntax } pattern when pattern.Expression.IsKind(SyntaxKind.NullLiteralExpression) =>
            [new(pattern, UnaryPattern(Spaced(SyntaxKind.NotKeyword), pattern.WithoutTrivia()), "pattern")],
        SubpatternSyntax { Parent: PropertyPatternClauseSyntax } pattern => [new(pattern, null, "pattern")],
        SwitchExpressionArmSyntax { Pattern: not DiscardPatternSyntax } arm => [new(arm, null, "arm")],
        SwitchSectionSyntax section => [new(section, null, "arm")],
        WhenClauseSyntax clause => [new(clause.Condition, Injected("True"), "condition")],
        InitializerExpressionSyntax initializer
            when initializer.Kind() is SyntaxKind.WithInitializerExpression or SyntaxKind.ObjectInitializerExpression =>
            initializer.Expressions.Select(assignment => new Change(assignment, null, "assignment")),
        InvocationExpressionSyntax call => Call(call),
        ExpressionStatementSyntax statement => [new(statement, Block(), "statement")],
        IfStatementSyntax branch =>
        [
            new(branch.Condition, ParseExpression($"{Injected("False")} && ({branch.Condition})"), "condition"),
            new(branch.Condition, ParseExpression($"{Injected("True")} || ({branch.Condition})"), "condition"),
        ],
        ExpressionElementSyntax { Parent: CollectionExpressionSyntax { Elements.Count: > 1 } } element => [new(element, null, "element")],
        SpreadElementSyntax element => [new(element, null, "element")],
        _ => [],
    };

    private static IEnumerable<Change> Binary(BinaryExpressionSyntax node)
    {
        if (node.IsKind(SyntaxKind.LogicalAndExpression) || node.IsKind(SyntaxKind.LogicalOrExpression))
        {
            var other = node.IsKind(SyntaxKind.LogicalAndExpression) ? SyntaxKind.LogicalOrExpression : SyntaxKind.LogicalAndExpression;
            yield return new(node, Enclosed(BinaryExpression(other, Enclosed(node.Left), Enclosed(node.Right))), "and/or");
            yield return new(node, node.Left, "condition");
            yield return new(node, node.Right, "condition");
        }
        else if (node.IsKind(SyntaxKind.CoalesceExpression))
        {
            yield return new(node, Enclosed(node.Left), "null");
            yield return new(node, Enclosed(node.Right), "null");
        }
        else
        {
            foreach (var kind in Relations(node.OperatorToken.Kind()))
            {
                yield return new(node, node.WithOperatorToken(Spaced(kind)), "boundary");
            }
            SyntaxKind? arithmetic = node.Kind() switch
            {
                SyntaxKind.AddExpression => SyntaxKind.MinusToken,
                SyntaxKind.SubtractExpression => SyntaxKind.PlusToken,
                SyntaxKind.MultiplyExpression => SyntaxKind.SlashToken,
                SyntaxKind.DivideExpression => SyntaxKind.AsteriskToken,
                _ => null,
            };
            if (arithmetic is { } sign && !node.DescendantTokens().Any(IsText))
            {
                yield return new(node, node.WithOperatorToken(Spaced(sign)), "arithmetic");
            }
        }
    }

    private static bool IsText(SyntaxToken token) =>
        token.Kind() is SyntaxKind.StringLiteralToken or SyntaxKind.InterpolatedStringStartToken;

    private static SyntaxKind[] Relations(SyntaxKind sign) => sign switch
    {
        SyntaxKind.LessThanToken => [SyntaxKind.LessThanEqualsToken, SyntaxKind.GreaterThanEqualsToken],
        SyntaxKind.LessThanEqualsToken => [SyntaxKind.LessThanToken, SyntaxKind.GreaterThanToken],
        SyntaxKind.GreaterThanToken => [SyntaxKind.GreaterThanEqualsToken, SyntaxKind.LessThanEqualsToken],
        SyntaxKind.GreaterThanEqualsToken => [SyntaxKind.GreaterThanToken, SyntaxKind.LessThanToken],
        SyntaxKind.EqualsEqualsToken => [SyntaxKind.ExclamationEqualsToken],
        SyntaxKind.ExclamationEqualsToken => [SyntaxKind.EqualsEqualsToken],
        _ => [],
    };

    private static IEnumerable<Change> OnLiteral(LiteralExpressionSyntax node)
    {
        switch (node.Kind())
        {
            case SyntaxKind.TrueLiteralExpression:
                yield return new(node, LiteralExpression(SyntaxKind.FalseLiteralExpression), "literal");
                break;
            case SyntaxKind.FalseLiteralExpression:
                yield return new(node, LiteralExpression(SyntaxKind.TrueLiteralExpression), "literal");
                break;
            case SyntaxKind.NumericLiteralExpression when IsDuration(node):
                // A second more is no mistake that a rule would forbid: it must be another order.
                yield return new(node, With(node, SyntaxKind.MultiplyExpression, 2), "duration");
                break;
            case SyntaxKind.NumericLiteralExpression:
                yield return new(node, With(node, SyntaxKind.AddExpression, 1), "number");
                break;
        }
    }

    private static bool IsDuration(SyntaxNode node) =>
        node.Parent is ArgumentSyntax { Parent.Parent: InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax access } } &&
        access.Name.Identifier.Text.StartsWith("From", StringComparison.Ordinal);

    private bool IsConstant(IdentifierNameSyntax name) =>
        name.Parent is not (MemberAccessExpressionSyntax or NameColonSyntax or AssignmentExpressionSyntax
            or DeclarationPatternSyntax or TypePatternSyntax) &&
        name.Ancestors().OfType<TypeDeclarationSyntax>().Any(type => constants.Contains($"{type.Identifier.Text}.{name.Identifier.Text}"));

    private static IEnumerable<Change> Call(InvocationExpressionSyntax call)
    {
        if (call.Expression is MemberAccessExpressionSyntax { Name: var name } access)
        {
            if (Opposites.TryGetValue(name.Identifier.Text, out var opposite))
            {
                yield return new(name, name.WithIdentifier(Identifier(opposite)), "opposite");
            }
            yield return new(call, access.Expression, "call");
        }
        if (call.Parent is not ExpressionStatementSyntax &&
            call.ArgumentList.Arguments is [var first, ..] && first.RefKindKeyword.IsKind(SyntaxKind.None))
        {
            yield return new(call, Enclosed(first.Expression), "call");
        }
    }

    private static IsPatternExpressionSyntax Negated(IsPatternExpressionSyntax test) => test.Pattern is UnaryPatternSyntax not
        ? test.WithPattern(ParenthesizedPattern(not.Pattern.WithoutTrivia()))
        : test.WithPattern(UnaryPattern(Spaced(SyntaxKind.NotKeyword), ParenthesizedPattern(test.Pattern.WithoutTrivia())));

    private static ParenthesizedExpressionSyntax Enclosed(ExpressionSyntax expression) =>
        ParenthesizedExpression(expression.WithoutTrivia());

    private static ExpressionSyntax Injected(string name) => ParseExpression($"global::Mutation.ActiveMutant.{name}");

    private static ParenthesizedExpressionSyntax With(ExpressionSyntax left, SyntaxKind sign, int right) => ParenthesizedExpression(
        BinaryExpression(sign, left.WithoutTrivia(), LiteralExpression(SyntaxKind.NumericLiteralExpression, Literal(right))));

    private static SyntaxToken Spaced(SyntaxKind kind) => Token(TriviaList(Space), kind, TriviaList(Space));
}
