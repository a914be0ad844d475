using System.Net;
using Microsoft.Extensions.Options;
using Post.Sockets;

namespace Post.Quic.Locals;

/// <summary>Turns what configuration states into a <see cref="Local"/>: reads the identity, parses the endpoints.</summary>
internal static class LocalFactory
{
    /// <summary>Makes the Local; where its identity has files, it can be renewed.</summary>
    /// <exception cref="OptionsValidationException">A file of the identity is of no use; the message says which, and what to do.</exception>
    public static Local Create(string name, PostLocalOptions options, TimeProvider time)
    {
        var identity = Load(name, options, time);
        var issuers = identity?.Issuers is { Count: > 0 } some ? some : null;
        bool isRenewable = identity is not null && options.CertificatePath is not null;
        return new Local
        {
            Certificate = isRenewable ? null : identity?.Own,
            IntermediateCertificates = isRenewable ? null : issuers,
            Renewable = isRenewable ? new RenewableIdentity(identity!.Own, issuers) : null,
            EndPoints = [.. options.EndPoints.Select(IPEndPoint.Parse)],
            FurtherEndPoints = [.. options.FurtherEndPoints.Select(IPEndPoint.Parse)],
            Interfaces = [.. options.Interfaces],
            MeteredInterfaces = [.. options.MeteredInterfaces],
            Sessions = options.KeepSessions ? new MemorySessionCache(time) : null,
        };
    }

    private static LoadedIdentity? Load(string name, PostLocalOptions options, TimeProvider time)
    {
        if (options.CertificatePath is null)
        {
            return options.EphemeralIdentity is { } subject ? new LoadedIdentity(Identity.CreateSelfSigned(subject, time: time), []) : null;
        }

        // It was valid at start; it may have been changed since.
        return IdentityFile.TryLoad(options, out var identity, out string? failure)
            ? identity
            : throw new OptionsValidationException(name, typeof(PostLocalOptions), [LocalName.Prefix(name) + failure]);
    }
}
