using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>One JSON object of the file during binding: reads its values and reports errors with line and dotted key.</summary>
internal sealed class ConfigSection
{
    private readonly ConfigErrors _errors;
    private readonly string _schemaKey;
    private readonly string _path;
    private readonly TextPosition _position;
    private readonly Dictionary<string, Member> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _invalidKeys = new(StringComparer.Ordinal);

    /// <param name="node">Null: the file omits the section, so every key has its default.</param>
    /// <param name="path">The dotted key of this section, as in the file.</param>
    /// <param name="schemaKey">The name of this section in <see cref="KnownKeys"/>.</param>
    /// <param name="errors">Collects the errors.</param>
    public ConfigSection(ObjectNode? node, string path, string schemaKey, ConfigErrors errors)
    {
        (_errors, _path, _schemaKey, _position) = (errors, path, schemaKey, node?.Position ?? default);
        if (node is null)
        {
            return;
        }

        foreach (var member in Unique(node, PathOf, errors))
        {
            if (KnownKeys.InSection(schemaKey).Contains(member.Name))
            {
                _members.Add(member.Name, member);
            }
            else
            {
                errors.Add(member.Position, PathOf(member.Name), ErrorMessages.UnknownKey(member.Name, schemaKey));
            }
        }
    }

    public bool Has(string key) => Find(key) is not null;

    public bool IsNull(string key) => Find(key) is { Value: NullNode };

    /// <summary>The line of an entry in the object at <paramref name="key"/>; null if there is none.</summary>
    public int? LineOf(string key, string entry) =>
        (Find(key)?.Value as ObjectNode)?.Members.FirstOrDefault(member => member.Name == entry)?.Position.Line;

    /// <summary>Whether these keys have no errors so far, so that rules between them can be checked.</summary>
    public bool AreValid(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (_invalidKeys.Contains(key))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The value of a key, or the fallback if the key is missing or its value is invalid.</summary>
    public T Read<T>(string key, T fallback, ValueParser<T> parser)
    {
        if (Find(key) is not { } member)
        {
            return fallback;
        }

        if (parser(member.Value, out var value) is not { } problem)
        {
            return value;
        }

        AddError(key, problem);
        return fallback;
    }

    /// <summary>A subsection; an empty one if it is missing or not an object.</summary>
    public ConfigSection Child(string key)
    {
        var node = Read<ObjectNode?>(key, null, ValueParsers.Object);
        return new ConfigSection(node, PathOf(key), KnownKeys.Join(_schemaKey, key), _errors);
    }

    /// <summary>The entries of a list, each with its dotted key.</summary>
    public IEnumerable<(string Path, ConfigNode Node)> Items(string key)
    {
        var list = Read<ArrayNode?>(key, null, ValueParsers.Array);
        return list is null ? [] : list.Items.Select((item, index) => ($"{PathOf(key)}[{index}]", item));
    }

    /// <summary>The entries of an object keyed by environment variables. An invalid name is an error and never shown.</summary>
    public IEnumerable<(string Path, Member Member)> Variables(string key)
    {
        var path = PathOf(key);
        if (Read<ObjectNode?>(key, null, ValueParsers.Object) is not { } node)
        {
            yield break;
        }

        foreach (var member in Unique(node, PathOfVariable, _errors))
        {
            if (NameRules.IsVariable(member.Name))
            {
                yield return (PathOfVariable(member.Name), member);
            }
            else
            {
                _errors.Add(member.Position, path, NameRules.VariableRule);
            }
        }

        string PathOfVariable(string name) => NameRules.IsVariable(name) ? $"{path}.{Quoting.Key(name)}" : path;
    }

    /// <summary>Reports an error at the value of a key, or at the section if the key is missing.</summary>
    public void AddError(string key, string problem)
    {
        _invalidKeys.Add(key);
        _errors.Add(Find(key)?.Value.Position ?? _position, PathOf(key), problem);
    }

    /// <summary>Reports an error of the section as a whole.</summary>
    public void AddSectionError(string problem) => _errors.Add(_position, _path, problem);

    private Member? Find(string key)
    {
        if (!KnownKeys.InSection(_schemaKey).Contains(key))
        {
            throw new InvalidOperationException($"'{key}' is missing in KnownKeys, section '{_schemaKey}'.");
        }

        return _members.GetValueOrDefault(key);
    }

    /// <remarks>Below a secret, unknown keys are not shown: one may be the secret itself, in the wrong place.</remarks>
    private string PathOf(string key)
    {
        if (KnownKeys.IsSecretSource(_schemaKey) && !KnownKeys.InSection(_schemaKey).Contains(key))
        {
            return _path;
        }

        return KnownKeys.Join(_path, Quoting.Key(key));
    }

    private static IEnumerable<Member> Unique(ObjectNode node, Func<string, string> pathOf, ConfigErrors errors)
    {
        var seen = new Dictionary<string, Member>(StringComparer.Ordinal);
        foreach (var member in node.Members)
        {
            if (seen.TryAdd(member.Name, member))
            {
                continue;
            }

            var first = seen[member.Name].Position.Line;
            var lines = first == member.Position.Line ? $"twice on line {first}" : $"on line {first} and on line {member.Position.Line}";
            errors.Add(member.Position, pathOf(member.Name), $"duplicate key: it is set {lines}; remove one");
        }

        return seen.Values.OrderBy(member => member.Position.Line).ThenBy(member => member.Position.Column);
    }
}
