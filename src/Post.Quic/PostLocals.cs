using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Post.Sockets;

namespace Post.Quic;

/// <summary>
/// The Locals that configuration describes, by name; each is created once, when it is first requested. Registered by <c>AddPostQuic</c>;
/// a constructor may also request a <see cref="Local"/> itself (the unnamed one, or by its name as service key).
/// </summary>
public sealed class PostLocals : IDisposable
{
    private readonly IOptionsMonitor<PostLocalOptions> _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentBag<Locals.IdentityWatcher> _watchers = [];
    private readonly ConcurrentDictionary<string, Lazy<Local>> _locals = new(StringComparer.Ordinal);

    internal PostLocals(IOptionsMonitor<PostLocalOptions> options, TimeProvider? timeProvider = null, ILoggerFactory? loggerFactory = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = timeProvider ?? TimeProvider.System;
        _logger = (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger<PostLocals>();
    }

    /// <summary>
    /// The Local of a name. When the files of its identity are replaced, connections that begin after that show the new certificate.
    /// </summary>
    /// <param name="name">The name; null or empty: the unnamed one.</param>
    /// <returns>The Local, always the same.</returns>
    /// <exception cref="OptionsValidationException">Its options are invalid; the message says what to do.</exception>
    public Local Get(string? name = null) => _locals
        .GetOrAdd(name ?? Options.DefaultName, key => new Lazy<Local>(() => Create(key)))
        .Value;

    /// <summary>The options for associations of a Local, as a copy.</summary>
    /// <param name="name">The name; null or empty: the unnamed one.</param>
    /// <exception cref="OptionsValidationException">They are wrong; the message says what to do.</exception>
    public AssociationOptions GetAssociationOptions(string? name = null) => _options.Get(name ?? Options.DefaultName).Association with { };

    /// <summary>The options by which a Local listens.</summary>
    internal ListenerOptions GetListenerOptions(string name)
    {
        var options = _options.Get(name);
        return options.Listener with
        {
            Association = options.Listener.Association ?? options.Association,
            ClientTrust = options.Listener.ClientTrust
                ?? (options.TrustedKeys.Count > 0 ? PeerTrust.Pinned(options.TrustedKeys.Select(static key => KeyFingerprint.Parse(key))) : null),
        };
    }

    /// <summary>Disposes the private keys and stops watching files.</summary>
    public void Dispose()
    {
        while (_watchers.TryTake(out var watcher))
        {
            watcher.Dispose();
        }

        foreach (var local in _locals.Values)
        {
            if (local.IsValueCreated)
            {
                local.Value.Certificate?.Dispose();
            }
        }
    }

    private Local Create(string name)
    {
        var options = _options.Get(name);
        var local = Locals.LocalFactory.Create(name, options, _time);
        if (local.Renewable is { } identity)
        {
            _watchers.Add(new Locals.IdentityWatcher(name, options, identity, _time, _logger));
        }

        return local;
    }
}
