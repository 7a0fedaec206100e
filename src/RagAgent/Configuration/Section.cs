namespace RagAgent.Configuration;

/// <summary>Reads a value of one kind: null and the value, or what is wrong with it.</summary>
internal delegate string? Kind<T>(ConfigNode node, out T value);

/// <summary>An object of the file that is being bound: hands out its values and reports what is wrong with them, by line and dotted key.</summary>
internal sealed class Section
{
    private readonly Findings _findings;
    private readonly string _template;
    private readonly string _path;
    private readonly TextPosition _at;
    private readonly Dictionary<string, Member> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);

    /// <param name="node">Null when the file leaves the section out: then everything has its default.</param>
    /// <param name="path">The dotted key of this section as it stands in the file.</param>
    /// <param name="template">Its name in <see cref="KnownKeys"/>.</param>
    /// <param name="findings">Takes what is found wrong.</param>
    public Section(ObjectNode? node, string path, string template, Findings findings)
    {
        (_findings, _path, _template, _at) = (findings, path, template, node?.At ?? default);
        if (node is null) return;
        foreach (Member member in Unique(node, PathOf, findings))
        {
            if (KnownKeys.Of(template).Contains(member.Name)) _members.Add(member.Name, member);
            else findings.Add(member.At, PathOf(member.Name), UnknownKey.Explain(member.Name, template));
        }
    }

    public bool Has(string key) => Find(key) is not null;

    public bool IsNull(string key) => Find(key) is { Value: NullNode };

    /// <summary>The line of an entry in an object of this section; null when there is none.</summary>
    public int? LineOf(string key, string entry) =>
        (Find(key)?.Value as ObjectNode)?.Members.FirstOrDefault(member => member.Name == entry)?.At.Line;

    /// <summary>Whether nothing was wrong with these keys so far, so that a rule between them makes sense.</summary>
    public bool AreSound(params ReadOnlySpan<string> keys)
    {
        foreach (string key in keys)
            if (_refused.Contains(key)) return false;
        return true;
    }

    /// <summary>The value of a key; the fallback when the key is left out or its value is refused.</summary>
    public T Read<T>(string key, T fallback, Kind<T> kind)
    {
        if (Find(key) is not { } member) return fallback;
        if (kind(member.Value, out T value) is not { } problem) return value;
        Refuse(key, problem);
        return fallback;
    }

    /// <summary>A section below this one; an empty one when it is left out or is no object.</summary>
    public Section Child(string key)
    {
        var node = Read<ObjectNode?>(key, null, Kinds.Object);
        return new Section(node, PathOf(key), KnownKeys.Join(_template, key), _findings);
    }

    /// <summary>The entries of a list, each with its dotted key.</summary>
    public IEnumerable<(string Path, ConfigNode Node)> Items(string key)
    {
        ListNode? list = Read<ListNode?>(key, null, Kinds.List);
        return list is null ? [] : list.Items.Select((item, index) => ($"{PathOf(key)}[{index}]", item));
    }

    /// <summary>The entries of an object whose keys are the names of environment variables. A bad name is refused and never shown.</summary>
    public IEnumerable<(string Path, Member Member)> Variables(string key)
    {
        string path = PathOf(key);
        if (Read<ObjectNode?>(key, null, Kinds.Object) is not { } node) yield break;
        foreach (Member member in Unique(node, name => NameRules.IsVariable(name) ? $"{path}.{Shown.Name(name)}" : path, _findings))
        {
            if (NameRules.IsVariable(member.Name)) yield return ($"{path}.{Shown.Name(member.Name)}", member);
            else _findings.Add(member.At, path, NameRules.VariableSentence);
        }
    }

    /// <summary>Reports a problem with the value of a key, or with the section when the key is left out.</summary>
    public void Refuse(string key, string problem)
    {
        _refused.Add(key);
        _findings.Add(Find(key)?.Value.At ?? _at, PathOf(key), problem);
    }

    /// <summary>Reports a problem with the section as a whole.</summary>
    public void RefuseWhole(string problem) => _findings.Add(_at, _path, problem);

    private Member? Find(string key)
    {
        if (!KnownKeys.Of(_template).Contains(key)) throw new InvalidOperationException($"'{key}' is missing in KnownKeys, section '{_template}'.");
        return _members.GetValueOrDefault(key);
    }

    /// <remarks>Below a secret only our own words are shown: anything else may be the secret, in the wrong place.</remarks>
    private string PathOf(string key)
    {
        if (KnownKeys.IsSource(_template) && !KnownKeys.Of(_template).Contains(key)) return _path;
        return KnownKeys.Join(_path, Shown.Name(key));
    }

    private static IEnumerable<Member> Unique(ObjectNode node, Func<string, string> pathOf, Findings findings)
    {
        var seen = new Dictionary<string, Member>(StringComparer.Ordinal);
        foreach (Member member in node.Members)
        {
            if (seen.TryAdd(member.Name, member)) continue;
            int first = seen[member.Name].At.Line;
            string lines = first == member.At.Line ? $"twice on line {first}" : $"on line {first} and on line {member.At.Line}";
            findings.Add(member.At, pathOf(member.Name), $"duplicate key: it is set {lines}; remove one");
        }

        return seen.Values.OrderBy(member => member.At.Line).ThenBy(member => member.At.Column);
    }
}
