using Microsoft.Extensions.Logging;
using Post.Quic.Engines;
using Post.Sockets.Transport;
using Post.Sockets.Transport.InMemory;

namespace Post.Quic.Tests.Engines;

[TestClass]
public sealed class EngineChoiceTests
{
    [TestMethod]
    public void Auto_takes_the_platforms_engine_where_it_runs()
    {
        using PostTransportHolder chosen = Choose(new PostQuicOptions(), Native(), Managed());

        Assert.AreEqual(TransportCapabilities.None, chosen.Transport.Capabilities);
    }

    [TestMethod]
    public void Auto_takes_the_managed_engine_where_the_platforms_cannot_run()
    {
        using PostTransportHolder chosen = Choose(new PostQuicOptions(), Native("no msquic"), Managed());

        Assert.AreEqual(InMemoryNetwork.DefaultCapabilities, chosen.Transport.Capabilities);
    }

    [TestMethod]
    public void Auto_takes_the_managed_engine_where_the_platforms_cannot_do_what_is_required()
    {
        using PostTransportHolder chosen = Choose(
            new PostQuicOptions { Requires = TransportCapabilities.Datagrams }, Native(), Managed());

        Assert.IsTrue(chosen.Transport.Capabilities.HasFlag(TransportCapabilities.Datagrams));
    }

    [TestMethod]
    public void An_explicit_choice_that_cannot_run_is_an_error_that_names_the_remedy()
    {
        var options = new PostQuicOptions { Engine = PostEngine.SystemNetQuic };

        PlatformNotSupportedException failure = Assert.ThrowsExactly<PlatformNotSupportedException>(
            () => Choose(options, Native("install libmsquic"), Managed()));

        StringAssert.Contains(failure.Message, "Engine = SystemNetQuic cannot be served");
        StringAssert.Contains(failure.Message, "install libmsquic");
        Assert.AreEqual("install libmsquic", new EngineChoice([Native("install libmsquic"), Managed()]).FindObstacle(options));
    }

    [TestMethod]
    public void An_explicit_choice_that_cannot_do_what_is_required_is_an_error_that_says_what_is_missing()
    {
        var options = new PostQuicOptions
        {
            Engine = PostEngine.SystemNetQuic,
            Requires = TransportCapabilities.Datagrams | TransportCapabilities.Multipath,
        };

        PlatformNotSupportedException failure = Assert.ThrowsExactly<PlatformNotSupportedException>(() => Choose(options, Native(), Managed()));

        StringAssert.Contains(failure.Message, "Datagrams, Multipath");
    }

    [TestMethod]
    public void The_choice_is_logged_with_what_was_passed_over()
    {
        var log = new ListLoggerFactory();

        using PostTransportHolder chosen = Choose(new PostQuicOptions(), log, Native("no msquic"), Managed());

        Assert.Contains(line => line.StartsWith("Debug: SystemNetQuic is passed over: no msquic", StringComparison.Ordinal), log.Lines);
        Assert.Contains(line => line.StartsWith("Information: Post runs on Managed", StringComparison.Ordinal), log.Lines);
    }

    private static PostTransportHolder Choose(PostQuicOptions options, params EngineCandidate[] candidates) => Choose(options, null, candidates);

    private static PostTransportHolder Choose(PostQuicOptions options, ILoggerFactory? log, params EngineCandidate[] candidates) =>
        new(new EngineChoice(candidates).Create(options, new EngineServices(log)));

    private static EngineCandidate Native(string? obstacle = null) => new()
    {
        Engine = PostEngine.SystemNetQuic,
        FindObstacle = _ => obstacle,
        Create = (_, _) => new InMemoryNetwork().CreateTransport(TransportCapabilities.None),
    };

    private static EngineCandidate Managed() => new()
    {
        Engine = PostEngine.Managed,
        FindObstacle = _ => null,
        Create = (_, _) => new InMemoryNetwork().CreateTransport(),
    };

    private sealed record PostTransportHolder(PostTransport Transport) : IDisposable
    {
        public void Dispose() => Transport.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    private sealed class ListLoggerFactory : ILoggerFactory, ILogger
    {
        public List<string> Lines { get; } = [];

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add($"{logLevel}: {formatter(state, exception)}");

        public void Dispose()
        {
        }
    }
}
