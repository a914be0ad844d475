using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Post.Quic.Engine;
using Post.Sockets.Transport;

namespace Post.Quic.DependencyInjection;

/// <summary>Looks at the names in the engine's configuration before they are bound: the binder would not say which names there are.</summary>
internal static class ConfiguredNames
{
    private static readonly string[] Names =
    [
        nameof(PostQuicOptions.Engine), nameof(PostQuicOptions.MsQuicLibraryPath), nameof(PostQuicOptions.Requires),
        nameof(PostQuicOptions.KeyExchangeGroups), nameof(PostQuicOptions.PreferredEndPoints), nameof(PostQuicOptions.FollowPreferredAddress),
        "Local", "Locals",
    ];

    /// <exception cref="OptionsValidationException">A name is unknown; the message lists the known ones.</exception>
    public static void Check(IConfiguration configuration)
    {
        var failures = new List<string>();
        failures.AddRange(configuration.GetChildren()
            .Where(static section => !Names.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
            .Select(static section => $"'{section.Key}' is no option of Post; there are {string.Join(", ", Names)}."));
        Check<PostEngine>(configuration, nameof(PostQuicOptions.Engine), "engine", failures);
        Check<TransportCapabilities>(configuration, nameof(PostQuicOptions.Requires), "capability", failures);
        foreach (var section in configuration.GetSection(nameof(PostQuicOptions.KeyExchangeGroups)).GetChildren())
        {
            Check<QuicKeyExchangeGroup>(
                configuration, $"{nameof(PostQuicOptions.KeyExchangeGroups)}:{section.Key}", "key exchange group", failures);
        }

        if (failures.Count > 0)
        {
            throw new OptionsValidationException(Options.DefaultName, typeof(PostQuicOptions), failures);
        }
    }

    private static void Check<T>(IConfiguration configuration, string key, string what, List<string> failures)
        where T : struct, Enum
    {
        if (configuration[key] is { Length: > 0 } text && !Enum.TryParse<T>(text, ignoreCase: true, out _))
        {
            failures.Add($"{key} = '{text}' is no {what}; there are {string.Join(", ", Enum.GetNames<T>())}.");
        }
    }
}
