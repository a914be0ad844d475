using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Quic.Managed;
using Post.Quic.SystemNetQuic;
using Post.Sockets.Transport;

namespace Post.Quic.Engines;

/// <summary>Takes the first engine that can serve what the options ask for, and says why.</summary>
internal sealed partial class EngineChoice(IReadOnlyList<EngineCandidate> candidates)
{
    /// <summary>The engines there are, in the order in which <see cref="PostEngine.Auto"/> tries them.</summary>
    public static IReadOnlyList<EngineCandidate> Known { get; } =
    [
        new()
        {
            Engine = PostEngine.SystemNetQuic,
            FindObstacle = static options => options is { Engine: PostEngine.Auto, Extras: null }
                ? "System.Net.Quic alone has no datagrams and no path events; add the package Post.Quic.MsQuic, or use Engine = SystemNetQuic."
                : options.KeyExchangeGroups.Count > 0
                ? "System.Net.Quic leaves the key exchange to OpenSSL or Schannel; leave KeyExchangeGroups empty, or use Engine = Managed."
                : options.PreferredEndPoints.Count > 0
                ? "System.Net.Quic announces no preferred address; leave PreferredEndPoints empty, or use Engine = Managed."
                : MsQuicLibrary.IsAvailable(options.MsQuicLibraryPath, out var remedy) ? null : remedy,
            GetCapabilities = static options =>
                MsQuicLibrary.IsPlatformSupported ? options.Extras?.Invoke().Extras?.Capabilities ?? TransportCapabilities.None : TransportCapabilities.None,
            Create = static (options, services) => MsQuicLibrary.IsPlatformSupported
                ? new SystemNetQuicTransport(
                    new SystemNetQuicTransportOptions { MsQuicLibraryPath = options.MsQuicLibraryPath, Extras = options.Extras }, services.LoggerFactory, services.TimeProvider)
                : throw new PlatformNotSupportedException(
                    "System.Net.Quic does not exist on this platform; set Engine to Managed, which runs everywhere."),
        },
        new()
        {
            Engine = PostEngine.Managed,
            FindObstacle = static options => KeyExchangeGroups.FindObstacle([.. options.KeyExchangeGroups]),
            GetCapabilities = static _ => ManagedTransport.AllCapabilities,
            Create = static (options, services) => new ManagedTransport(
                new ManagedTransportOptions
                {
                    KeyExchangeGroups = [.. options.KeyExchangeGroups],
                    PreferredEndPoints = [.. options.PreferredEndPoints.Select(IPEndPoint.Parse)],
                    FollowPreferredAddress = options.FollowPreferredAddress,
                },
                services.LoggerFactory,
                services.TimeProvider,
                services.MeterFactory),
        },
    ];

    /// <summary>What an application has that names no engine.</summary>
    private const TransportCapabilities ByDefault = TransportCapabilities.Datagrams | TransportCapabilities.Paths;

    /// <summary>Whether the options can be served; else why not, with the remedy.</summary>
    public string? FindObstacle(PostQuicOptions options)
    {
        var obstacles = new List<string>();
        foreach (var candidate in Asked(options))
        {
            if (FindObstacle(candidate, options) is not { } obstacle)
            {
                return null;
            }

            obstacles.Add(obstacle);
        }

        return obstacles.Count == 0
            ? $"There is no engine {options.Engine} in this build; use Engine = Auto."
            : string.Join(' ', obstacles);
    }

    /// <summary>Makes the transport of the first engine that can serve the options.</summary>
    /// <exception cref="PlatformNotSupportedException">There is none; the message names the remedy.</exception>
    public PostTransport Create(PostQuicOptions options, EngineServices services)
    {
        var logger = (services.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger("Post.Quic.Engine");
        var obstacles = new List<string>();
        foreach (var candidate in Asked(options))
        {
            if (FindObstacle(candidate, options) is { } obstacle)
            {
                LogPassedOver(logger, candidate.Engine, obstacle);
                obstacles.Add(obstacle);
                continue;
            }

            var transport = candidate.Create(options, services);
            LogChosen(logger, candidate.Engine, options.Engine, transport.Name, transport.Capabilities);
            return transport;
        }

        throw new PlatformNotSupportedException(
            obstacles.Count == 0
                ? FindObstacle(options)
                : $"Engine = {options.Engine} cannot be served. {string.Join(' ', obstacles)}");
    }

    private static string? FindObstacle(EngineCandidate candidate, PostQuicOptions options)
    {
        if (candidate.FindObstacle(options) is { } obstacle)
        {
            return obstacle;
        }

        var required = options.Engine is PostEngine.Auto ? options.Requires | ByDefault : options.Requires;
        var missing = required & ~candidate.GetCapabilities(options);
        return missing == TransportCapabilities.None
            ? null
            : $"{candidate.Engine} cannot do what is required: {missing}. Ask for less with Requires, or use another engine.";
    }

    private IEnumerable<EngineCandidate> Asked(PostQuicOptions options) =>
        candidates.Where(candidate => options.Engine is PostEngine.Auto || candidate.Engine == options.Engine);

    [LoggerMessage(1, LogLevel.Information, "Post runs on {Engine} (asked for: {Asked}; transport {Transport}; it can do: {Capabilities})")]
    private static partial void LogChosen(
        ILogger logger, PostEngine engine, PostEngine asked, string transport, TransportCapabilities capabilities);

    [LoggerMessage(2, LogLevel.Debug, "{Engine} is passed over: {Obstacle}")]
    private static partial void LogPassedOver(ILogger logger, PostEngine engine, string obstacle);
}
