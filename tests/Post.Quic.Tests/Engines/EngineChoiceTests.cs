using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Post.Quic.Engine;
using Post.Quic.Engines;
using Post.Quic.Managed;
using Post.Quic.MsQuic;
using Post.Quic.SystemNetQuic;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Engines;

[TestClass]
public sealed class EngineChoiceTests
{
    private const TransportCapabilities Default = TransportCapabilities.Datagrams | TransportCapabilities.Paths;

    [TestMethod]
    public void Auto_takes_the_platforms_engine_where_it_runs_and_has_datagrams_and_path_events()
    {
        using PostTransportHolder chosen = Choose(new PostQuicOptions(), Native(capabilities: Default), Managed());

        Assert.AreEqual(Default, chosen.Transport.Capabilities);
    }

    [TestMethod]
    [DataRow(TransportCapabilities.None)]
    [DataRow(TransportCapabilities.Datagrams)]
    [DataRow(TransportCapabilities.Paths)]
    public void Auto_passes_over_an_engine_that_lacks_datagrams_or_path_events(TransportCapabilities has)
    {
        using PostTransportHolder chosen = Choose(new PostQuicOptions(), Native(capabilities: has), Managed());
        Assert.AreEqual(InMemoryNetwork.DefaultCapabilities, chosen.Transport.Capabilities);

        using PostTransportHolder named = Choose(new PostQuicOptions { Engine = PostEngine.SystemNetQuic }, Native(capabilities: has), Managed());
        Assert.AreEqual(has, named.Transport.Capabilities, "By its name it is taken.");
    }

    [TestMethod]
    public void Auto_takes_the_managed_engine_where_no_package_adds_to_the_platforms()
    {
        var log = new ListLoggerFactory();
        using PostTransportHolder chosen = Choose(new PostQuicOptions(), log, [.. EngineChoice.Known]);

        Assert.AreEqual("managed", chosen.Transport.Name);
        Assert.Contains(
            "Debug: SystemNetQuic is passed over: System.Net.Quic alone has no datagrams and no path events; add the package Post.Quic.MsQuic, "
            + "or use Engine = SystemNetQuic.",
            log.Lines);
    }

    [TestMethod]
    public void The_package_is_added_to_options_and_to_services_by_one_call()
    {
        using ServiceProvider services = new ServiceCollection().AddPostMsQuic().BuildServiceProvider();
        var configured = new PostQuicOptions();
        foreach (IConfigureOptions<PostQuicOptions> configure in services.GetServices<IConfigureOptions<PostQuicOptions>>())
        {
            configure.Configure(configured);
        }

        Assert.IsNotNull(configured.Extras);
        Assert.IsNotNull(new PostQuicOptions().UseMsQuicExtras().Extras);
        Assert.IsNull(new PostQuicOptions().Extras);
        if (MsQuicLibrary.IsPlatformSupported)
        {
            Assert.IsNotNull(new SystemNetQuicTransportOptions().WithMsQuicExtras().Extras);
            Assert.IsNull(new SystemNetQuicTransportOptions().Extras);
        }
    }

    [TestMethod]
    public void Auto_asks_the_platforms_engine_where_a_package_adds_to_it()
    {
        bool isAsked = false;
        var options = new PostQuicOptions
        {
            MsQuicLibraryPath = Environment.GetEnvironmentVariable("POST_MSQUIC_PATH"),
            Extras = () =>
            {
                isAsked = true;
                return new ExtrasOrObstacle(null, "tried in vain");
            },
        };
        var log = new ListLoggerFactory();
        using PostTransportHolder chosen = Choose(options, log, [.. EngineChoice.Known]);

        Assert.AreEqual("managed", chosen.Transport.Name, "Extras that do not work add nothing.");
        Assert.DoesNotContain(line => line.Contains("add the package", StringComparison.Ordinal), log.Lines);
        Assert.AreEqual(MsQuicLibrary.IsAvailable(options.MsQuicLibraryPath, out _), isAsked);
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
        StringAssert.Contains(new EngineChoice([Native(), Managed()]).FindObstacle(options), "Datagrams, Multipath", "It is said at start.");
    }

    [TestMethod]
    public async Task What_an_engine_is_said_to_do_is_what_its_transport_does()
    {
        foreach (EngineCandidate candidate in EngineChoice.Known)
        {
            var options = new PostQuicOptions { MsQuicLibraryPath = Environment.GetEnvironmentVariable("POST_MSQUIC_PATH") }.UseMsQuicExtras();
            if (candidate.FindObstacle(options) is null)
            {
                await using PostTransport transport = candidate.Create(options, new EngineServices());
                Assert.AreEqual(transport.Capabilities, candidate.GetCapabilities(options));
            }
        }
    }

    [TestMethod]
    public void The_choice_is_logged_with_what_was_passed_over()
    {
        var log = new ListLoggerFactory();

        using PostTransportHolder chosen = Choose(new PostQuicOptions(), log, Native("no msquic"), Managed());

        Assert.Contains(line => line.StartsWith("Debug: SystemNetQuic is passed over: no msquic", StringComparison.Ordinal), log.Lines);
        Assert.Contains(line => line.StartsWith("Information: Post runs on Managed", StringComparison.Ordinal), log.Lines);
    }

    [TestMethod]
    public void Key_exchange_groups_are_the_managed_engines_to_choose()
    {
        var options = new PostQuicOptions { KeyExchangeGroups = { QuicKeyExchangeGroup.Secp384r1 } };

        using PostTransportHolder chosen = Choose(options, [.. EngineChoice.Known]);

        Assert.AreEqual("managed", chosen.Transport.Name);
    }

    [TestMethod]
    public void Key_exchange_groups_for_the_platforms_engine_are_an_error_that_names_the_remedy()
    {
        var options = new PostQuicOptions { Engine = PostEngine.SystemNetQuic, KeyExchangeGroups = { QuicKeyExchangeGroup.Secp384r1 } };

        StringAssert.Contains(new EngineChoice(EngineChoice.Known).FindObstacle(options), "leave KeyExchangeGroups empty, or use Engine = Managed");
    }

    [TestMethod]
    public void Preferred_addresses_are_the_managed_engines_to_announce()
    {
        var options = new PostQuicOptions { PreferredEndPoints = { "127.0.0.2:0" }, FollowPreferredAddress = false };
        using PostTransportHolder chosen = Choose(options, [.. EngineChoice.Known]);
        Assert.AreEqual("managed", chosen.Transport.Name);

        options.Engine = PostEngine.SystemNetQuic;
        StringAssert.Contains(new EngineChoice(EngineChoice.Known).FindObstacle(options), "leave PreferredEndPoints empty, or use Engine = Managed");
    }

    [TestMethod]
    [DataRow("nowhere")]
    [DataRow("0.0.0.0:4433")]
    [DataRow("[::]:4433")]
    [DataRow("127.0.0.2:1", "127.0.0.3:1")]
    public void Preferred_addresses_that_nobody_can_move_to_are_refused_at_start(params string[] addresses)
    {
        var options = new PostQuicOptions();
        Array.ForEach(addresses, options.PreferredEndPoints.Add);
        var result = new Post.Quic.DependencyInjection.PostQuicOptionsValidator().Validate(null, options);
        Assert.IsTrue(result.Failed);
        Assert.Contains("PreferredEndPoints", result.FailureMessage);
    }

    [TestMethod]
    public void Key_exchange_groups_that_this_platform_lacks_are_left_out_with_a_warning_and_an_error_where_none_is_left()
    {
        QuicKeyExchangeGroup[] missing = [.. Enum.GetValues<QuicKeyExchangeGroup>().Where(static group => !group.IsSupported())];
        if (missing.Length == 0)
        {
            Assert.Inconclusive("This platform has all groups.");
        }

        var log = new ListLoggerFactory();
        var some = new PostQuicOptions { KeyExchangeGroups = { missing[0], QuicKeyExchangeGroup.Secp256r1 } };
        var none = new PostQuicOptions { KeyExchangeGroups = { missing[0] } };

        using PostTransportHolder chosen = Choose(some, log, [.. EngineChoice.Known]);

        Assert.Contains($"Warning: This platform lacks {missing[0]} of the key exchange groups; the others serve", log.Lines);
        StringAssert.Contains(new EngineChoice(EngineChoice.Known).FindObstacle(none), "add Secp256r1");
        Assert.ThrowsExactly<PlatformNotSupportedException>(() => Choose(none, [.. EngineChoice.Known]));
        Assert.ThrowsExactly<ArgumentException>(() => new ManagedTransport(new ManagedTransportOptions { KeyExchangeGroups = [missing[0]] }));
    }

    private static PostTransportHolder Choose(PostQuicOptions options, params EngineCandidate[] candidates) => Choose(options, null, candidates);

    private static PostTransportHolder Choose(PostQuicOptions options, ILoggerFactory? log, params EngineCandidate[] candidates) =>
        new(new EngineChoice(candidates).Create(options, new EngineServices(log)));

    private static EngineCandidate Native(string? obstacle = null, TransportCapabilities capabilities = TransportCapabilities.None) => new()
    {
        Engine = PostEngine.SystemNetQuic,
        FindObstacle = _ => obstacle,
        GetCapabilities = _ => capabilities,
        Create = (_, _) => new InMemoryNetwork().CreateTransport(capabilities),
    };

    private static EngineCandidate Managed() => new()
    {
        Engine = PostEngine.Managed,
        FindObstacle = _ => null,
        GetCapabilities = _ => InMemoryNetwork.DefaultCapabilities,
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
