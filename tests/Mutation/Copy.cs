using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Mutation;

/// <summary>A copy of the product and its unit tests that holds all mutants.</summary>
/// <param name="repository">Where the product is.</param>
/// <param name="work">Where the copy goes.</param>
internal sealed partial class Copy(string repository, string work)
{
    private const int MostRounds = 12;
    private static readonly string[] Projects = ["src/RagAgent", "tests/RagAgent.Tests"];
    private static readonly string[] Settings = ["Directory.Packages.props", "Directory.Build.props", "global.json", "BannedSymbols.txt", ".editorconfig"];

    public string Tests => Path.Combine(work, "tests/RagAgent.Tests/bin/Release/net10.0/RagAgent.Tests.dll");

    /// <summary>Writes the copy and builds it, again and again without the mutants that don't compile.</summary>
    /// <param name="files">Which are mutated, relative to the repository.</param>
    public IReadOnlyList<Mutant> Build(IReadOnlyList<string> files)
    {
        Lay();
        var operators = new Operators(Constants().ToHashSet());
        var memory = Path.Combine(work, "does-not-compile.txt");
        var dropped = File.Exists(memory) ? File.ReadAllLines(memory).ToHashSet() : [];
        for (var round = 1; round <= MostRounds; round++)
        {
            var schemata = new Schemata(operators, dropped);
            var lines = new Dictionary<string, IReadOnlyDictionary<int, Mutant>>();
            foreach (var file in files)
            {
                var (text, map) = schemata.Rewrite(Path.Combine(repository, file));
                var target = Path.Combine(work, file);
                File.WriteAllText(target, text);
                lines[target] = map;
            }
            Console.Error.WriteLine($"Building with {schemata.Mutants.Count} mutants ({dropped.Count} did not compile).");
            var (succeeded, output) = Compile(Projects[0]);
            if (succeeded)
            {
                (succeeded, output) = Compile(Projects[1]);
                return succeeded ? schemata.Mutants : throw new InvalidOperationException($"The tests don't build.\n{output}");
            }
            var before = dropped.Count;
            foreach (Match error in Error().Matches(output))
            {
                if (lines.GetValueOrDefault(error.Groups[1].Value)?.GetValueOrDefault(int.Parse(error.Groups[2].Value)) is { } mutant)
                {
                    dropped.Add(mutant.Key);
                }
            }
            File.WriteAllLines(memory, dropped);
            if (dropped.Count == before)
            {
                var errors = output.Split('\n').Where(line => line.Contains(": error ")).Take(20);
                throw new InvalidOperationException($"An error that no mutant explains.\n{string.Join('\n', errors)}");
            }
        }
        throw new InvalidOperationException($"After {MostRounds} rounds some mutants still don't compile.");
    }

    private void Lay()
    {
        foreach (var project in Projects)
        {
            var target = Path.Combine(work, project);
            foreach (var old in Directory.Exists(target) ? Sources(target) : [])
            {
                File.Delete(Path.Combine(target, old));
            }
            foreach (var file in Sources(Path.Combine(repository, project)))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(target, file))!);
                File.Copy(Path.Combine(repository, project, file), Path.Combine(target, file));
            }
        }
        foreach (var file in Settings)
        {
            File.Copy(Path.Combine(repository, file), Path.Combine(work, file), overwrite: true);
        }
        var injected = Path.Combine(AppContext.BaseDirectory, "Injected");
        File.Copy(Path.Combine(injected, "ActiveMutant.cs"), Path.Combine(work, Projects[0], "ActiveMutant.cs"), overwrite: true);
        File.Copy(Path.Combine(injected, "Worker.cs"), Path.Combine(work, Projects[1], "Worker.cs"), overwrite: true);
        var testProject = Path.Combine(work, Projects[1], "RagAgent.Tests.csproj");
        Extend(testProject, "<PropertyGroup><StartupObject>Mutation.Worker</StartupObject></PropertyGroup>");
        // Style is not what is tested here, and analyzers would take longer than the compiler.
        Extend(Path.Combine(work, "Directory.Build.props"),
            """
            <PropertyGroup>
              <TreatWarningsAsErrors>false</TreatWarningsAsErrors>
              <WarningLevel>0</WarningLevel>
              <RunAnalyzers>false</RunAnalyzers>
              <EnforceCodeStyleInBuild>false</EnforceCodeStyleInBuild>
              <RestorePackagesWithLockFile>false</RestorePackagesWithLockFile>
            </PropertyGroup>
            """);
    }

    private static void Extend(string project, string text) =>
        File.WriteAllText(project, File.ReadAllText(project).Replace("</Project>", $"{text}\n</Project>", StringComparison.Ordinal));

    private static IEnumerable<string> Sources(string project) => Directory.EnumerateFiles(project, "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(project, file))
        .Where(file => file.Split('/')[0] is not ("bin" or "obj" or "packages.lock.json"));

    /// <summary>Numeric constants, as <c>Type.Name</c>.</summary>
    private IEnumerable<string> Constants() =>
        from file in Sources(Path.Combine(repository, Projects[0]))
        where file.EndsWith(".cs", StringComparison.Ordinal)
        let root = CSharpSyntaxTree.ParseText(File.ReadAllText(Path.Combine(repository, Projects[0], file))).GetRoot()
        from field in root.DescendantNodes().OfType<FieldDeclarationSyntax>()
        where field.Modifiers.Any(SyntaxKind.ConstKeyword) && field.Declaration.Type.ToString() is "int" or "long" or "double"
        from variable in field.Declaration.Variables
        select $"{((BaseTypeDeclarationSyntax)field.Parent!).Identifier.Text}.{variable.Identifier.Text}";

    private (bool Succeeded, string Output) Compile(string project)
    {
        string[] arguments = ["build", Path.Combine(work, project), "-c", "Release", "-nologo", "-v", "quiet", "-clp:NoSummary"];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode == 0, output);
    }

    [GeneratedRegex(@"^\s*(/[^(\n]+)\((\d+),\d+\): error ", RegexOptions.Multiline)]
    private static partial Regex Error();
}
