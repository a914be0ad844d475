using System.Net;
using Microsoft.Extensions.Options;
using Post.Quic.Engine;
using Post.Sockets.Transport;

namespace Post.Quic.DependencyInjection;

/// <summary>Says at start what is wrong with the engine's options, and what to do.</summary>
internal sealed class PostQuicOptionsValidator : IValidateOptions<PostQuicOptions>
{
    public ValidateOptionsResult Validate(string? name, PostQuicOptions options)
    {
        if (!Enum.IsDefined(options.Engine))
        {
            return ValidateOptionsResult.Fail(
                $"Engine = {options.Engine} is no engine; use {string.Join(", ", Enum.GetNames<PostEngine>())}.");
        }

        if (((int)options.Requires & ~AllCapabilities) != 0)
        {
            return ValidateOptionsResult.Fail(
                $"Requires = {options.Requires} names unknown capabilities; there are {string.Join(", ", Enum.GetNames<TransportCapabilities>())}.");
        }

        if (options.MsQuicLibraryPath is { } path && !Path.IsPathFullyQualified(path))
        {
            return ValidateOptionsResult.Fail($"MsQuicLibraryPath = '{path}' must be a full path, or be left unset.");
        }

        foreach (var group in options.KeyExchangeGroups)
        {
            if (!Enum.IsDefined(group))
            {
                return ValidateOptionsResult.Fail(
                    $"{group} in KeyExchangeGroups is no key exchange group; there are {string.Join(", ", Enum.GetNames<QuicKeyExchangeGroup>())}.");
            }
        }

        foreach (string preferred in options.PreferredEndPoints)
        {
            if (!IPEndPoint.TryParse(preferred, out IPEndPoint? endPoint)
                || endPoint.Address.Equals(IPAddress.Any)
                || endPoint.Address.Equals(IPAddress.IPv6Any)
                || endPoint.Address.IsIPv4MappedToIPv6)
            {
                return ValidateOptionsResult.Fail(
                    $"'{preferred}' in PreferredEndPoints is no address that clients could move to; name one of this machine, such as 203.0.113.7:4433.");
            }
        }

        if (options.PreferredEndPoints.CountBy(static preferred => IPEndPoint.Parse(preferred).AddressFamily).Any(static family => family.Value > 1))
        {
            return ValidateOptionsResult.Fail("PreferredEndPoints names several addresses of one family; name one of IPv4 and one of IPv6 at most.");
        }

        return ValidateOptionsResult.Success;
    }

    private static int AllCapabilities => Enum.GetValues<TransportCapabilities>().Aggregate(0, static (all, one) => all | (int)one);
}
