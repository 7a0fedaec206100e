using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

namespace Mutation;

/// <summary>
/// Runs tests against one mutant after another in one process, which is some twenty times as fast as a process for each. Compiled into
/// the copy of the test project.
/// </summary>
/// <remarks>
/// Reads commands from standard input, one a line, and answers each with one line that begins with <c>##</c>:
/// <c>learn</c> runs the fast tests without a mutant, notes which members each reaches and counts those that take long as slow,
/// <c>fast ID MEMBER</c> runs those that reach the member, <c>all ID</c> runs all fast ones, <c>slow ID</c> runs the slow ones.
/// </remarks>
public static class Worker
{
    // Slower ones are left to the second pass, which few mutants reach.
    private static readonly TimeSpan Fast = TimeSpan.FromMilliseconds(200);

    private static readonly Dictionary<int, List<Case>> Reaching = [];
    private static readonly Type Switch = Assembly.Load("ragagent").GetType("Mutation.ActiveMutant", throwOnError: true)!;
    private static readonly FieldInfo Id = Switch.GetField("Id")!;
    private static readonly bool[] Reached = (bool[])Switch.GetField("Reached")!.GetValue(null)!;
    private static TextWriter _answers = TextWriter.Null;

    /// <param name="args">The namespaces or classes of the fast tests, and those of the slow ones, each separated by commas; with a minus before it, one is left out.</param>
    public static void Main(string[] args)
    {
        _answers = Console.Out;
        Console.SetOut(TextWriter.Null);
        var slow = Find(args[1], except: null);
        var fast = Find(args[0], except: args[1]);
        while (Console.ReadLine() is { } line)
        {
            var words = line.Split(' ');
            switch (words[0])
            {
                case "list":
                    Answer(string.Join(" ", fast.Concat(slow).Select(test => test.Name)));
                    break;
                case "learn":
                    Learn(fast, slow);
                    break;
                case "fast":
                    var member = int.Parse(words[2], CultureInfo.InvariantCulture);
                    Answer(Judge(words[1], Reaching.GetValueOrDefault(member) ?? [], isChecked: true));
                    break;
                case "all":
                    Answer(Judge(words[1], fast, isChecked: false));
                    break;
                case "slow":
                    Answer(Judge(words[1], slow, isChecked: false));
                    break;
            }
        }
    }

    private static void Learn(List<Case> fast, List<Case> slow)
    {
        Id.SetValue(null, 0);
        var failed = new List<string>();
        foreach (var test in fast)
        {
            Array.Clear(Reached);
            var began = Stopwatch.GetTimestamp();
            if (test.Run() is { } problem)
            {
                failed.Add($"{test.Name}: {problem}");
                continue;
            }
            test.Took = Stopwatch.GetElapsedTime(began);
            if (test.Took > Fast)
            {
                slow.Add(test);
                continue;
            }
            for (var member = 0; member < Reached.Length; member++)
            {
                if (Reached[member])
                {
                    Reaching.TryAdd(member, []);
                    Reaching[member].Add(test);
                }
            }
        }
        foreach (var tests in Reaching.Values)
        {
            tests.Sort((a, b) => a.Took.CompareTo(b.Took));
        }
        Answer(failed.Count == 0 ? $"learned {fast.Count} and {slow.Count}" : $"broken {string.Join(" / ", failed)}");
    }

    /// <param name="id">The mutant.</param>
    /// <param name="tests">Which may notice it.</param>
    /// <param name="isChecked">A test that noticed something must pass without the mutant: what it noticed may be the trace of an earlier one.</param>
    private static string Judge(string id, List<Case> tests, bool isChecked)
    {
        Id.SetValue(null, int.Parse(id, CultureInfo.InvariantCulture));
        foreach (var test in tests)
        {
            if (test.Run() is null)
            {
                continue;
            }
            if (isChecked)
            {
                Id.SetValue(null, 0);
                if (test.Run() is { } trace)
                {
                    return $"unstable {test.Name}: {trace}";
                }
            }
            return $"killed {test.Name}";
        }
        return $"lived {tests.Count}";
    }

    private static void Answer(string text)
    {
        Id.SetValue(null, 0);
        _answers.WriteLine("## " + text.ReplaceLineEndings(" "));
        _answers.Flush();
    }

    private static List<Case> Find(string places, string? except)
    {
        var cases = new List<Case>();
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;
        var types = typeof(Worker).Assembly.GetTypes()
            .Where(type => !type.IsAbstract && IsIn(type, places) && (except is null || !IsIn(type, except)));
        foreach (var type in types)
        {
            foreach (var method in type.GetMethods(Declared))
            {
                if (method.GetCustomAttributes().OfType<IFactAttribute>().FirstOrDefault() is { Explicit: false, Skip: null } fact)
                {
                    cases.AddRange(fact is ITheoryAttribute ? Rows(method).Select(row => new Case(method, row)) : [new Case(method, [])]);
                }
            }
        }
        // Random lives find more, and sooner, than the rows of a theory.
        return [.. cases.OrderBy(test => test.HasRow)];
    }

    private static IEnumerable<object?[]> Rows(MethodInfo method)
    {
        foreach (var source in method.GetCustomAttributes())
        {
            var rows = source switch
            {
                InlineDataAttribute line => [line.Data],
                MemberDataAttribute member => Member(member.MemberType ?? method.DeclaringType!, member.MemberName, member.Arguments),
                IDataAttribute => throw new NotSupportedException($"{method.Name} has rows of {source.GetType()}."),
                _ => [],
            };
            foreach (var row in rows)
            {
                yield return row;
            }
        }
    }

    private static IEnumerable<object?[]> Member(Type type, string name, object?[] arguments)
    {
        const BindingFlags Static = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.FlattenHierarchy;
        var rows = type.GetProperty(name, Static)?.GetValue(null)
            ?? type.GetField(name, Static)?.GetValue(null)
            ?? type.GetMethod(name, Static)!.Invoke(null, arguments);
        foreach (var row in (System.Collections.IEnumerable)rows!)
        {
            yield return row switch
            {
                ITheoryDataRow data => data.GetData(),
                object?[] array => array,
                System.Runtime.CompilerServices.ITuple tuple => [.. Enumerable.Range(0, tuple.Length).Select(i => tuple[i])],
                _ => [row],
            };
        }
    }

    private static bool IsIn(Type type, string places) => places.Split(',').Aggregate(false, (isIn, place) =>
        type.FullName == place.TrimStart('-') || type.FullName!.StartsWith(place.TrimStart('-') + ".", StringComparison.Ordinal) ? place[0] != '-' : isIn);

    private sealed class Case(MethodInfo method, object?[] row)
    {
        public string Name => $"{method.DeclaringType!.Name}.{method.Name}" + (row.Length == 0 ? "" : $"({string.Join(", ", row)})");

        public bool HasRow => row.Length > 0;

        public TimeSpan Took { get; set; }

        /// <returns>What failed; null when it passed.</returns>
        public string? Run()
        {
            try
            {
                var type = method.DeclaringType!;
                object[] parts = type.GetConstructors() is [var only] ? [.. only.GetParameters().Select(_ => new NoOutput())] : [];
                var instance = method.IsStatic ? null : Activator.CreateInstance(type, parts);
                try
                {
                    var result = method.Invoke(instance, [.. Arguments()]);
                    (result as Task ?? (result as ValueTask?)?.AsTask())?.GetAwaiter().GetResult();
                }
                finally
                {
                    (instance as IDisposable)?.Dispose();
                }
                return null;
            }
            catch (Exception e)
            {
                return (e as TargetInvocationException)?.InnerException?.Message ?? e.Message;
            }
        }

        /// <summary>
        /// What the row leaves out is optional or the rest of a parameter array; a number is widened as the compiler would.
        /// </summary>
        private IEnumerable<object?> Arguments()
        {
            var parameters = method.GetParameters();
            for (var i = 0; i < parameters.Length; i++)
            {
                var type = parameters[i].ParameterType;
                var isWholeArray = row.Length == parameters.Length && type.IsInstanceOfType(row[i]);
                if (parameters[i].IsDefined(typeof(ParamArrayAttribute)) && !isWholeArray)
                {
                    var rest = row.Skip(i).ToArray();
                    var array = Array.CreateInstance(type.GetElementType()!, rest.Length);
                    rest.CopyTo(array, 0);
                    yield return array;
                }
                else if (i >= row.Length)
                {
                    yield return parameters[i].DefaultValue;
                }
                else
                {
                    var plain = Nullable.GetUnderlyingType(type) ?? type;
                    yield return row[i] is IConvertible value && plain.IsPrimitive && value.GetType() != plain
                        ? Convert.ChangeType(value, plain, CultureInfo.InvariantCulture) : row[i];
                }
            }
        }
    }

    private sealed class NoOutput : ITestOutputHelper
    {
        public string Output => "";

        public void Write(string message)
        {
        }

        public void Write(string format, params object[] args)
        {
        }

        public void WriteLine(string message)
        {
        }

        public void WriteLine(string format, params object[] args)
        {
        }
    }
}
