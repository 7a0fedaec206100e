using YamlDotNet.RepresentationModel;

namespace RagAgent.IntegrationTests.Cloud;

/// <summary>What cloud-init would do at the first boot, in its order.</summary>
internal sealed class UserDataScripts
{
    private readonly YamlMappingNode _root;

    /// <param name="text">A cloud-config document.</param>
    public UserDataScripts(string text)
    {
        Text = text;
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        _root = (YamlMappingNode)stream.Documents[0].RootNode;
    }

    public string Text { get; }

    /// <summary>The script that runs before everything else, at every boot.</summary>
    public string BootScript => Script("bootcmd");

    /// <summary>The script that runs once, when everything else is done.</summary>
    public string RunScript => Script("runcmd");

    /// <summary>What is written to a file between the two.</summary>
    public string File(string path) => ((YamlSequenceNode)_root.Children["write_files"]).Children.Cast<YamlMappingNode>()
        .Single(file => file.Children["path"].ToString() == path).Children["content"].ToString();

    /// <summary>The stack's, as CloudFormation would hand it to the instance.</summary>
    public static UserDataScripts OfStack(CloudFormationTemplate stack) => new(stack.Resource("Instance")!["UserData"]!.GetValue<string>());

    private string Script(string module) => (YamlSequenceNode)_root.Children[module] is { Children: [YamlSequenceNode { Children: [YamlScalarNode { Value: "bash" }, YamlScalarNode { Value: "-c" }, YamlScalarNode script] }] }
        ? script.Value!
        : throw new NotSupportedException($"{module} is not one script of bash.");
}
