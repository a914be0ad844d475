using System.Net;
using System.Runtime.CompilerServices;
using Post.Quic.Engine;
using Post.Sockets.Tests;

namespace Post.Quic.Tests.Documents;

/// <summary>The options of a trace that docs/operating.md prints are there, and mean what stands beside them.</summary>
[TestClass]
public sealed class TraceTests
{
    [TestMethod]
    public void The_three_lines_are_options()
    {
        // The example begins here.
        var trace = new QuicTraceOptions { Directory = "/var/log/qlog" };                       // a file for each connection
        var some = new QuicTraceOptions { OpenStream = c => Wanted(c.RemoteEndPoint) ? File.Create(c.FileName) : null };
        QuicTraceOptions? fromEnvironment = QuicTraceOptions.FromEnvironment();                 // where QLOGDIR is set
        // The example ends here.

        Assert.AreEqual("/var/log/qlog", trace.Directory);
        Assert.IsNotNull(some.OpenStream);
        Assert.AreEqual(Environment.GetEnvironmentVariable("QLOGDIR"), fromEnvironment?.Directory);
    }

    [TestMethod]
    public void The_example_in_the_document_is_this_code() => DocumentedCode.AssertSame("operating.md", ThisFile());

    private static bool Wanted(IPEndPoint remote) => remote.Port == 1;

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
