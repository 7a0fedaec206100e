using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using static Microsoft.CodeAnalysis.CSharp.SyntaxFactory;

namespace Mutation;

/// <summary>
/// Puts all mutants of a file into one file: each member becomes a switch over copies of itself, one for each mutant, and each copy has one
/// change. So everything is built once, and a mutant is selected by a number when the tests run.
/// </summary>
/// <param name="operators">What may be changed.</param>
/// <param name="dropped">Keys of mutants that don't compile.</param>
internal sealed class Schemata(Operators operators, IReadOnlySet<string> dropped)
{
    private readonly List<Mutant> _mutants = [];
    private int _members;

    public IReadOnlyList<Mutant> Mutants => _mutants;

    /// <returns>The file's text with all mutants in it, and which mutant each of its lines belongs to.</returns>
    public (string Text, IReadOnlyDictionary<int, Mutant> Lines) Rewrite(string path)
    {
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Preview);
        var root = CSharpSyntaxTree.ParseText(File.ReadAllText(path), options).GetCompilationUnitRoot();
        var before = _mutants.Count;
        var rewriter = new Rewriter(this, Path.GetFileName(path));
        var text = rewriter.Visit(root).ToFullString();
        var byId = _mutants.Skip(before).ToDictionary(mutant => mutant.Id);
        var lines = new Dictionary<int, Mutant>();
        Mutant? current = null;
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            if (line.TrimStart().StartsWith("//#", StringComparison.Ordinal))
            {
                current = byId.GetValueOrDefault(int.Parse(line.TrimStart()[3..], System.Globalization.CultureInfo.InvariantCulture));
            }
            else if (current is not null)
            {
                lines[number] = current;
            }
        }
        return (text, lines);
    }

    private List<(Mutant Mutant, Change Change)> MutantsOf(SyntaxNode mutated, string file, string member, bool needsNewProcess)
    {
        var number = ++_members;
        var found = new List<(Mutant, Change)>();
        var seen = new HashSet<string>();
        var texts = new HashSet<string>();
        foreach (var change in operators.On(mutated))
        {
            // Two operators may come to the same text.
            if (!texts.Add(change.ApplyTo(mutated).NormalizeWhitespace().ToFullString()))
            {
                continue;
            }
            var key = $"{file} {member}: {Short(change.Node)} -> {(change.With is null ? "(removed)" : Short(change.With))}";
            for (var again = 2; !seen.Add(key); again++)
            {
                key = key.Split(" #")[0] + $" #{again}";
            }
            if (dropped.Contains(key))
            {
                continue;
            }
            var line = change.Node.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
            var mutant = new Mutant(_mutants.Count + 1, number, file, line, change.Kind, key, needsNewProcess);
            _mutants.Add(mutant);
            found.Add((mutant, change));
        }
        return found;
    }

    private static string Short(SyntaxNode node) =>
        string.Join(' ', node.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Replace("global::Mutation.ActiveMutant.", "", StringComparison.Ordinal);

    private sealed class Rewriter(Schemata schemata, string file) : CSharpSyntaxRewriter
    {
        public override SyntaxNode? VisitClassDeclaration(ClassDeclarationSyntax node) => WithCopies(node, base.VisitClassDeclaration);

        public override SyntaxNode? VisitRecordDeclaration(RecordDeclarationSyntax node) => WithCopies(node, base.VisitRecordDeclaration);

        public override SyntaxNode? VisitStructDeclaration(StructDeclarationSyntax node) => WithCopies(node, base.VisitStructDeclaration);

        public override SyntaxNode? VisitInterfaceDeclaration(InterfaceDeclarationSyntax node) => node;

        public override SyntaxNode? VisitEnumDeclaration(EnumDeclarationSyntax node) => node;

        private TypeDeclarationSyntax WithCopies<T>(T node, Func<T, SyntaxNode?> visitNested) where T : TypeDeclarationSyntax
        {
            var visited = (TypeDeclarationSyntax)visitNested(node)!;
            var members = new List<MemberDeclarationSyntax>();
            // The original members know their lines; the nested types are rewritten by then.
            var originals = node.Members.Zip(visited.Members, (original, done) => done is BaseTypeDeclarationSyntax ? done : original);
            foreach (var member in originals)
            {
                members.AddRange(member switch
                {
                    MethodDeclarationSyntax { Body: not null } or MethodDeclarationSyntax { ExpressionBody: not null } =>
                        Method((MethodDeclarationSyntax)member, node.Identifier.Text),
                    PropertyDeclarationSyntax { ExpressionBody: not null } property => Getter(property, node.Identifier.Text),
                    PropertyDeclarationSyntax { Initializer: not null } property => [Initialized(property, node.Identifier.Text)],
                    FieldDeclarationSyntax { Declaration.Variables: [{ Initializer: not null }] } field
                        when !field.Modifiers.Any(SyntaxKind.ConstKeyword) =>
                        [Initialized(field, node.Identifier.Text)],
                    _ => [member],
                });
            }
            return visited.WithMembers(List(members));
        }

        private List<MemberDeclarationSyntax> Method(MethodDeclarationSyntax method, string type)
        {
            var mutated = (SyntaxNode?)method.Body ?? method.ExpressionBody!;
            var mutants = schemata.MutantsOf(mutated, file, $"{type}.{method.Identifier.Text}", needsNewProcess: false);
            if (mutants.Count == 0)
            {
                return [method];
            }
            var number = mutants[0].Mutant.Member;
            var types = method.TypeParameterList is { } list ? $"<{string.Join(", ", list.Parameters.Select(parameter => parameter.Identifier.Text))}>" : "";
            var arguments = string.Join(", ", method.ParameterList.Parameters.Select(Passed));
            var isVoid = method.ReturnType is PredefinedTypeSyntax { Keyword.RawKind: (int)SyntaxKind.VoidKeyword };
            string CallOf(int id) => $"{NameOf(method.Identifier.Text, number, id)}{types}({arguments})";
            var dispatch = Dispatch(number, mutants, CallOf, isVoid);
            var dispatcher = method.WithBody(dispatch).WithExpressionBody(null).WithSemicolonToken(default);
            var copies = new List<MemberDeclarationSyntax> { dispatcher };
            foreach (var (id, body) in Bodies(mutated, mutants))
            {
                var modifiers = method.Modifiers.Where(modifier =>
                    modifier.Kind() is SyntaxKind.StaticKeyword or SyntaxKind.AsyncKeyword or SyntaxKind.UnsafeKeyword);
                var parameters = method.ParameterList.Parameters.Select(Plain);
                var copy = method.WithAttributeLists(default).WithModifiers(TokenList(modifiers)).WithExplicitInterfaceSpecifier(null)
                    .WithIdentifier(Identifier(NameOf(method.Identifier.Text, number, id)))
                    .WithParameterList(method.ParameterList.WithParameters(SeparatedList(parameters)));
                copy = body is BlockSyntax block
                    ? copy.WithBody(block).WithExpressionBody(null)
                    : copy.WithExpressionBody((ArrowExpressionClauseSyntax)body);
                copies.Add(Marked(copy, id));
            }
            return copies;
        }

        private List<MemberDeclarationSyntax> Getter(PropertyDeclarationSyntax property, string type)
        {
            var mutants = schemata.MutantsOf(property.ExpressionBody!, file, $"{type}.{property.Identifier.Text}", needsNewProcess: false);
            if (mutants.Count == 0)
            {
                return [property];
            }
            var number = mutants[0].Mutant.Member;
            string CallOf(int id) => $"{NameOf(property.Identifier.Text, number, id)}()";
            var getter = AccessorDeclaration(SyntaxKind.GetAccessorDeclaration, Dispatch(number, mutants, CallOf, isVoid: false));
            var dispatcher = property.WithExpressionBody(null).WithSemicolonToken(default).WithAccessorList(AccessorList([getter]));
            var copies = new List<MemberDeclarationSyntax> { dispatcher };
            foreach (var (id, body) in Bodies(property.ExpressionBody!, mutants))
            {
                var returnType = property.Type.WithoutTrivia().WithTrailingTrivia(Space);
                var copy = MethodDeclaration(returnType, NameOf(property.Identifier.Text, number, id))
                    .WithModifiers(TokenList(property.Modifiers.Where(m => m.IsKind(SyntaxKind.StaticKeyword))))
                    .WithExpressionBody((ArrowExpressionClauseSyntax)body).WithSemicolonToken(Token(SyntaxKind.SemicolonToken));
                copies.Add(Marked(copy, id));
            }
            return copies;
        }

        private PropertyDeclarationSyntax Initialized(PropertyDeclarationSyntax property, string type)
        {
            var value = property.Initializer!.Value;
            var mutants = schemata.MutantsOf(value, file, $"{type}.{property.Identifier.Text}", needsNewProcess: true);
            return mutants.Count == 0 ? property : property.WithInitializer(property.Initializer.WithValue(Choice(value, mutants)));
        }

        private FieldDeclarationSyntax Initialized(FieldDeclarationSyntax field, string type)
        {
            var variable = field.Declaration.Variables[0];
            var value = variable.Initializer!.Value;
            var mutants = schemata.MutantsOf(value, file, $"{type}.{variable.Identifier.Text}", needsNewProcess: true);
            if (mutants.Count == 0)
            {
                return field;
            }
            var changed = variable.WithInitializer(variable.Initializer.WithValue(Choice(value, mutants)));
            return field.WithDeclaration(field.Declaration.WithVariables([changed]));
        }

        private static ExpressionSyntax Choice(ExpressionSyntax value, List<(Mutant Mutant, Change Change)> mutants)
        {
            // An error of the whole is reported where it begins: there the first mutant is to blame.
            var text = $"\n//#{mutants[0].Mutant.Id}\n(";
            foreach (var (mutant, change) in mutants)
            {
                text += $"global::Mutation.ActiveMutant.Id == {mutant.Id} ?\n//#{mutant.Id}\n{Changed(value, change).WithoutTrivia().ToFullString()}\n//#0\n: ";
            }
            return ParseExpression($"{text}{value.WithoutTrivia().ToFullString()})");
        }

        /// <summary>An expression that is replaced as a whole is not below itself.</summary>
        private static SyntaxNode Changed(SyntaxNode node, Change change) => change.Node == node ? change.With! : change.ApplyTo(node);

        private static IEnumerable<(int Id, SyntaxNode Body)> Bodies(SyntaxNode body, List<(Mutant Mutant, Change Change)> mutants) =>
            mutants.Select(mutant => (mutant.Mutant.Id, Changed(body, mutant.Change))).Prepend((0, body));

        private static BlockSyntax Dispatch(int number, List<(Mutant Mutant, Change Change)> mutants, Func<int, string> callOf, bool isVoid)
        {
            string Do(int id) => isVoid ? $"{callOf(id)}; return;" : $"return {callOf(id)};";
            var cases = string.Concat(mutants.Select(mutant => $"case {mutant.Mutant.Id}: {Do(mutant.Mutant.Id)}\n"));
            return (BlockSyntax)ParseStatement(
                $"{{\nglobal::Mutation.ActiveMutant.Reached[{number}] = true;\nswitch (global::Mutation.ActiveMutant.Id) {{\n{cases}default: {Do(0)}\n}}\n}}\n");
        }

        private static string NameOf(string member, int number, int id) => $"{member}__{number}_{id}";

        private static ParameterSyntax Plain(ParameterSyntax parameter)
        {
            var modifiers = parameter.Modifiers.Where(modifier =>
                modifier.Kind() is not (SyntaxKind.ThisKeyword or SyntaxKind.ParamsKeyword));
            return parameter.WithModifiers(TokenList(modifiers)).WithDefault(null);
        }

        private static string Passed(ParameterSyntax parameter)
        {
            var passing = parameter.Modifiers.FirstOrDefault(modifier =>
                modifier.Kind() is SyntaxKind.RefKeyword or SyntaxKind.OutKeyword or SyntaxKind.InKeyword);
            return passing.RawKind == 0 ? parameter.Identifier.Text : $"{passing.Text} {parameter.Identifier.Text}";
        }

        private static MemberDeclarationSyntax Marked(MemberDeclarationSyntax copy, int id) =>
            copy.WithLeadingTrivia(EndOfLine("\n"), Comment($"//#{id}"), EndOfLine("\n")).WithTrailingTrivia(EndOfLine("\n"), Comment("//#0"), EndOfLine("\n"));
    }
}
