using YamlDotNet.RepresentationModel;

namespace RagAgent.IntegrationTests.Cloud;

/// <summary>The scripts and files of a cloud-config document, in the order in which cloud-init uses them.</summary>
internal sealed class UserDataScripts
{
    private readonly YamlMappingNode _root;

    /// <param name="text">The cloud-config document.</param>
    public UserDataScripts(string text)
    {
        Text = text;
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        _root = (YamlMappingNode)stream.Documents[0].RootNode;
    }

    public string Text { get; }

    /// <summary>The script that runs first, at every boot.</summary>
    public string BootScript => Script("bootcmd");

    /// <summary>The script that runs last, at the first boot only.</summary>
    public string RunScript => Script("runcmd");

    /// <summary>The content of a file that is written between the two scripts.</summary>
    public string File(string path) => ((YamlSequenceNode)_root.Children["write_files"]).Children.Cast<YamlMappingNode>()
        .Single(file => file.Children["path"].ToString() == path).Children["content"].ToString();

    /// <summary>The stack's user data, as the instance gets it.</summary>
    public static UserDataScripts FromStack(CloudFormationTemplate stack) =>
        new(stack.Resource("Instance")!["UserData"]!.GetValue<string>());

    private string Script(string module)
    {
        var commands = ((YamlSequenceNode)_root.Children[module]).Children;
        return commands is [YamlSequenceNode { Children: var words }] &&
            words is [YamlScalarNode { Value: "bash" }, YamlScalarNode { Value: "-c" }, YamlScalarNode script]
            ? script.Value!
            : throw new NotSupportedException($"{module} is not a single bash script.");
    }
}
