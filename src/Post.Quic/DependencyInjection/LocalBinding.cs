using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Post.Quic.Locals;

namespace Post.Quic.DependencyInjection;

/// <summary>
/// Sets the options of a Local. An option that is set to what it cannot be throws at once; here that becomes a failure of validation, which names the
/// Local and the section.
/// </summary>
internal static class LocalBinding
{
    /// <summary>Binds configuration, section by section, so that a failure is found where it stands.</summary>
    public static void Bind(IConfiguration configuration, string name, PostLocalOptions options)
    {
        Set(name, "Association: ", () => configuration.GetSection(nameof(options.Association)).Bind(options.Association, Strict));
        Set(name, "Listener: ", () => configuration.GetSection(nameof(options.Listener)).Bind(options.Listener, Strict));
        Set(name, string.Empty, () => configuration.Bind(options, Strict));
    }

    /// <summary>A name that is misspelled would otherwise leave the default, in silence.</summary>
    private static void Strict(BinderOptions binder) => binder.ErrorOnUnknownConfiguration = true;

    /// <summary>Lets the application set them.</summary>
    public static void Set<T>(string name, T options, Action<T> configure) => Set(name, string.Empty, () => configure(options));

    private static void Set(string name, string section, Action set)
    {
        try
        {
            set();
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            string message = exception is ArgumentOutOfRangeException { ParamName: { } parameter }
                ? exception.Message.Replace($" (Parameter '{parameter}')", string.Empty, StringComparison.Ordinal)
                : exception.Message;
            throw new OptionsValidationException(name, typeof(PostLocalOptions), [LocalName.Prefix(name) + section + message]);
        }
    }
}
