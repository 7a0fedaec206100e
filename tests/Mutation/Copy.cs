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
            var (succeeded, output) = Dotnet("build", Path.Combine(work, Projects[0]), "-c", "Release", "-nologo", "-v", "quiet", "-clp:NoSummary");
            if (succeeded)
            {
                (succeeded, output) = Dotnet("build", Path.Combine(work, Projects[1]), "-c", "Release", "-nologo", "-v", "quiet", "-clp:NoSummary");
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
                throw new InvalidOperationException($"An error that no mutant explains.\n{string.Join('\n', output.Split('\n').Where(line => line.Contains(": error ")).Take(20))}");
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
        foreach (var file in Directory.GetFiles(repository).Where(file => Path.GetFileName(file) is "Directory.Packages.props" or "Directory.Build.props" or "global.json" or "BannedSymbols.txt" or ".editorconfig"))
        {
            File.Copy(file, Path.Combine(work, Path.GetFileName(file)), overwrite: true);
        }
        // Documents that tests read are found from the root, which they know by this file.
        File.Copy(Path.Combine(repository, "RagAgent.sln"), Path.Combine(work, "RagAgent.sln"), overwrite: true);
        var injected = Path.Combine(AppContext.BaseDirectory, "Injected");
        File.Copy(Path.Combine(injected, "ActiveMutant.cs"), Path.Combine(work, Projects[0], "ActiveMutant.cs"), overwrite: true);
        File.Copy(Path.Combine(injected, "Worker.cs"), Path.Combine(work, Projects[1], "Worker.cs"), overwrite: true);
        var testProject = Path.Combine(work, Projects[1], "RagAgent.Tests.csproj");
        File.WriteAllText(testProject, File.ReadAllText(testProject).Replace("</Project>", "<PropertyGroup><StartupObject>Mutation.Worker</StartupObject></PropertyGroup></Project>", StringComparison.Ordinal));
        // Style is not what is tested here, and analyzers would take longer than the compiler.
        var props = Path.Combine(work, "Directory.Build.props");
        File.WriteAllText(props, File.ReadAllText(props).Replace("</Project>",
            """
            <PropertyGroup>
              <TreatWarningsAsErrors>false</TreatWarningsAsErrors>
              <WarningLevel>0</WarningLevel>
              <RunAnalyzers>false</RunAnalyzers>
              <EnforceCodeStyleInBuild>false</EnforceCodeStyleInBuild>
              <RestorePackagesWithLockFile>false</RestorePackagesWithLockFile>
            </PropertyGroup>
            </Project>
            """, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Sources(string project) => Directory.EnumerateFiles(project, "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(project, file))
        .Where(file => !file.StartsWith("bin/", StringComparison.Ordinal) && !file.StartsWith("obj/", StringComparison.Ordinal) && file != "packages.lock.json");

    /// <summary>Numeric constants, as <c>Type.Name</c>.</summary>
    private IEnumerable<string> Constants() => Sources(Path.Combine(repository, Projects[0])).Where(file => file.EndsWith(".cs", StringComparison.Ordinal))
        .SelectMany(file => CSharpSyntaxTree.ParseText(File.ReadAllText(Path.Combine(repository, Projects[0], file))).GetRoot().DescendantNodes())
        .OfType<FieldDeclarationSyntax>()
        .Where(field => field.Modifiers.Any(SyntaxKind.ConstKeyword) && field.Declaration.Type.ToString() is "int" or "long" or "double")
        .SelectMany(field => field.Declaration.Variables.Select(variable => $"{((BaseTypeDeclarationSyntax)field.Parent!).Identifier.Text}.{variable.Identifier.Text}"));

    private static (bool Succeeded, string Output) Dotnet(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode == 0, output);
    }

    [GeneratedRegex(@"^\s*(/[^(\n]+)\((\d+),\d+\): error ", RegexOptions.Multiline)]
    private static partial Regex Error();
}
