using System.Reflection;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>
/// Runs a scenario once for each pairing of engines, the client's first, with further arguments after the two. A pairing whose
/// engine this machine lacks is skipped, by name. The last pairing shows what becomes of Post where an engine can do nothing
/// but streams. With POST_PAIRING=MsQuic-Managed in the environment only that one runs, for whoever looks into a failure.
/// </summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class EachPairingAttribute(params object[] arguments) : Attribute, ITestDataSource
{
    private static readonly IReadOnlyList<(TestEngine Client, TestEngine Server)> Pairings =
    [
        (TestEngine.Managed, TestEngine.Managed),
        (TestEngine.Managed, TestEngine.MsQuic),
        (TestEngine.MsQuic, TestEngine.Managed),
        (TestEngine.MsQuic, TestEngine.MsQuic),
        (TestEngine.PlainMsQuic, TestEngine.PlainMsQuic),
    ];

    private static readonly string? Only = Environment.GetEnvironmentVariable("POST_PAIRING");

    public object[] Arguments => arguments;

    public IEnumerable<object?[]> GetData(MethodInfo methodInfo) => Pairings
        .Where(pairing => Only is null || Only == $"{pairing.Client}-{pairing.Server}")
        .Select(pairing => (object?[])[pairing.Client, pairing.Server, .. arguments]);

    public string? GetDisplayName(MethodInfo methodInfo, object?[]? data) =>
        $"{methodInfo.Name} ({data![0]} → {data[1]}{string.Concat(data.Skip(2).Select(more => $", {more}"))})";
}
