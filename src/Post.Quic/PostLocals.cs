using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Post.Sockets;

namespace Post.Quic;

/// <summary>
/// The Locals that configuration states, by name; each is made once, when it is first asked for. Registered by <c>AddPostQuic</c>;
/// a constructor may also ask for a <see cref="Local"/> itself (the unnamed one, or by its name as service key).
/// </summary>
public sealed class PostLocals : IDisposable
{
    private readonly IOptionsMonitor<PostLocalOptions> _options;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, Lazy<Local>> _locals = new(StringComparer.Ordinal);

    /// <summary>Creates the collection.</summary>
    /// <param name="options">The named options.</param>
    /// <param name="timeProvider">The clock; null: the system's.</param>
    public PostLocals(IOptionsMonitor<PostLocalOptions> options, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = timeProvider ?? TimeProvider.System;
    }

    /// <summary>The Local of a name.</summary>
    /// <param name="name">The name; null or empty: the unnamed one.</param>
    /// <returns>The Local, always the same.</returns>
    /// <exception cref="OptionsValidationException">Its options are wrong; the message says what to do.</exception>
    public Local Get(string? name = null) => _locals
        .GetOrAdd(name ?? Options.DefaultName, key => new Lazy<Local>(() => Locals.LocalFactory.Create(key, _options.Get(key), _time)))
        .Value;

    /// <summary>The options for associations of a Local.</summary>
    /// <param name="name">The name; null or empty: the unnamed one.</param>
    public AssociationOptions GetAssociationOptions(string? name = null) => _options.Get(name ?? Options.DefaultName).Association.ToOptions();

    /// <summary>Forgets the private keys.</summary>
    public void Dispose()
    {
        foreach (var local in _locals.Values)
        {
            if (local.IsValueCreated)
            {
                local.Value.Certificate?.Dispose();
            }
        }
    }
}
