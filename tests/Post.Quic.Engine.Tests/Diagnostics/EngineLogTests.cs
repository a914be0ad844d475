using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Diagnostics;

/// <summary>What the engine says to a logger.</summary>
[TestClass]
public sealed class EngineLogTests
{
    [TestMethod]
    public void Peers_reason_cannot_forge_a_line_or_fill_the_log()
    {
        var logger = new ListLogger();
        string reason = "bye\r\n\u001b[31mforged\u202e" + new string('x', 10_000);
        var info = new ConnectionCloseInfo(CloseSource.Peer, true, 0x2a, 0, reason);
        EngineLog.ConnectionClosed(logger, new ConnectionId([1, 2]), info);
        (int id, string message) = logger.Events.Single();
        Assert.AreEqual(11, id);
        Assert.StartsWith("Connection 0102 is closed: Peer, application: True, code 0x2a, bye???[31mforged?xxx", message);
        Assert.IsLessThan(400, message.Length);
    }
}
